using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Observations;

/// <summary>How a lookup in DNS ended: of a destination's MX hosts, or of a host's addresses.</summary>
public enum DnsOutcome
{
    /// <summary>The answer names what was asked for.</summary>
    Found,

    /// <summary>The domain does not exist, or has neither MX nor address records; or no MX host of it has an address.</summary>
    NoMx,

    /// <summary>RFC 7505: the domain takes no mail.</summary>
    NullMx,

    /// <summary>The host has no address.</summary>
    NoAddress,

    /// <summary>Our own lookup failed: nothing is known of the destination.</summary>
    Failed,

    /// <summary>DNSSEC says that the answer was tampered with.</summary>
    Bogus,
}

/// <summary>What a trusted resolver says of an answer (RFC 4033 section 5).</summary>
public enum DnssecStatus
{
    /// <summary>Nobody we trust has said anything: no trusted resolver, or its self-test is not fresh, or the lookup failed.</summary>
    Unknown,

    Insecure,

    Secure,

    Bogus,
}

/// <summary>The stored names of outcomes of lookups.</summary>
public static class DnsOutcomes
{
    private static readonly StoredNames<DnsOutcome> Stored = new(
        (DnsOutcome.Found, "found"), (DnsOutcome.NoMx, "no-mx"), (DnsOutcome.NullMx, "null-mx"), (DnsOutcome.NoAddress, "no-address"),
        (DnsOutcome.Failed, "dns-failure"), (DnsOutcome.Bogus, "bogus"));

    public static string Name(this DnsOutcome outcome) => Stored.Of(outcome);

    /// <summary>The outcome of a probe that ends with this lookup; null where the lookup does not end it.</summary>
    public static ProbeOutcome? AsProbeOutcome(this DnsOutcome outcome) => outcome switch
    {
        DnsOutcome.Found => null,
        DnsOutcome.NullMx => ProbeOutcome.NullMx,
        DnsOutcome.Failed => ProbeOutcome.DnsFailure,
        DnsOutcome.Bogus => ProbeOutcome.Bogus,
        _ => ProbeOutcome.NoMx,
    };

    /// <summary>Reads a name, or one of those that older stores have for the same: the outcomes of probes.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out DnsOutcome outcome) => Stored.TryParse(
        name switch { "secured" => "found", "dnssec-invalid" => "bogus", _ => name }, out outcome);
}

/// <summary>The stored names of DNSSEC statuses.</summary>
public static class DnssecStatuses
{
    private static readonly StoredNames<DnssecStatus> Stored = new(
        (DnssecStatus.Unknown, "unknown"), (DnssecStatus.Insecure, "insecure"), (DnssecStatus.Secure, "secure"), (DnssecStatus.Bogus, "bogus"));

    public static string Name(this DnssecStatus status) => Stored.Of(status);

    public static bool TryParse([NotNullWhen(true)] string? name, out DnssecStatus status) => Stored.TryParse(name, out status);
}
