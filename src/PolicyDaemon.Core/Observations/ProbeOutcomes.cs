using System.Collections.Immutable;

namespace PolicyDaemon.Core.Observations;

/// <summary>What each outcome is called and what it may be concluded from it.</summary>
public static class ProbeOutcomes
{
    // Stored names, in the order of the enumeration; the second column is the result type of RFC 8460 section 4.3, where one fits.
    private static readonly ImmutableArray<(string Name, string? ResultType)> Table =
    [
        ("secured", null),
        ("connection-refused", null),
        ("unreachable", null),
        ("timeout", null),
        ("connection-lost", null),
        ("greeting-temporary", null),
        ("greeting-permanent", null),
        ("ehlo-refused", null),
        ("starttls-not-supported", "starttls-not-supported"),
        ("starttls-refused", "starttls-not-supported"),
        ("handshake-failed", "validation-failure"),
        ("plaintext-injected", "validation-failure"),
        ("reply-too-long", null),
        ("protocol-error", null),
        ("address-not-allowed", null),
        ("certificate-expired", "certificate-expired"),
        ("certificate-host-mismatch", "certificate-host-mismatch"),
        ("certificate-not-trusted", "certificate-not-trusted"),
        ("pin-mismatch", "validation-failure"),
        ("tlsa-mismatch", "validation-failure"),
        ("tlsa-invalid", "tlsa-invalid"),
        ("no-mx", null),
        ("null-mx", null),
        ("dns-failure", null),
        ("dnssec-invalid", "dnssec-invalid"),
        ("dane-required", "dane-required"),
        ("tls-too-old", "validation-failure"),
        ("tls-anonymous", "validation-failure"),
    ];

    public static string Name(this ProbeOutcome outcome) => Table[(int)outcome].Name;

    /// <summary>The result type of RFC 8460 section 4.3 that names this failure; null where it has none.</summary>
    public static string? ResultType(this ProbeOutcome outcome) => Table[(int)outcome].ResultType;

    /// <summary>True where the server's own words or certificate were seen. Only such an outcome may touch a pin or a verdict.</summary>
    public static bool IsConclusive(this ProbeOutcome outcome) =>
        outcome is ProbeOutcome.Secured or ProbeOutcome.StartTlsNotSupported;

    /// <summary>True where a server asks to be left alone for a while: 421 and 4xx (RFC 5321 section 4.2.1).</summary>
    public static bool AsksForPatience(this ProbeOutcome outcome) =>
        outcome is ProbeOutcome.GreetingTemporary or ProbeOutcome.StartTlsRefused;

    public static bool TryParse(string? name, out ProbeOutcome outcome)
    {
        for (var i = 0; i < Table.Length; i++)
        {
            if (Table[i].Name == name)
            {
                outcome = (ProbeOutcome)i;
                return true;
            }
        }

        outcome = default;
        return false;
    }
}
