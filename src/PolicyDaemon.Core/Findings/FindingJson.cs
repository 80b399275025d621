using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Findings;

/// <summary>A finding in JSON, wherever one is said: in the status file, in an alert, in the output of policyctl.</summary>
/// <param name="Kind">The name of the kind, see <see cref="FindingKinds"/>.</param>
/// <param name="Subject">The destination, file or part that the finding is about.</param>
/// <param name="Detail">What was seen, in a sentence.</param>
/// <param name="Remedy">The command that settles it.</param>
/// <param name="Since">When the finding was first seen.</param>
public sealed record FindingJson(string Kind, string Subject, string Detail, string Remedy, DateTimeOffset Since)
{
    /// <summary>What the finding means for mail, see <see cref="FindingSeverities"/>.</summary>
    public string Severity { get; init; } = FindingSeverity.LookAtIt.Name();

    /// <summary>The class of what a probe met; null where no probe is the source.</summary>
    public string? Outcome { get; init; }

    /// <summary>The outcome's result type in RFC 8460 section 4.3; null where it has none.</summary>
    public string? ResultType { get; init; }

    /// <summary>The pins that are served.</summary>
    public IReadOnlyList<string> Expected { get; init; } = [];

    /// <summary>The keys that were presented instead.</summary>
    public IReadOnlyList<PresentedKeyJson> Seen { get; init; } = [];

    /// <summary>How many destinations the finding concerns.</summary>
    public int Affects { get; init; } = 1;

    /// <summary>When the finding was seen last; null where that is not kept.</summary>
    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>The node that it is about; null where it is of all that share the store.</summary>
    public string? Node { get; init; }

    public static FindingJson From(Finding finding, DateTimeOffset? lastSeen = null)
    {
        ArgumentNullException.ThrowIfNull(finding);
        return new FindingJson(finding.Kind.Name(), finding.Subject, finding.Detail, finding.Remedy, finding.Since)
        {
            Severity = finding.Severity.Name(),
            Outcome = finding.Outcome?.Name(),
            ResultType = finding.Outcome?.ResultType(),
            Expected = [.. finding.Expected.Select(pin => pin.Hex)],
            Seen = [.. finding.Seen.Select(PresentedKeyJson.From)],
            Affects = finding.Affects,
            LastSeen = lastSeen,
            Node = finding.Node,
        };
    }
}

/// <summary>A key that an address presented, in JSON.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Address">Its address, IPv4 or IPv6.</param>
/// <param name="Port">The port.</param>
/// <param name="Sni">The name that was sent (SNI); null for none.</param>
/// <param name="PublicKeyFingerprint">The fingerprint of the public key, in the digest that Postfix compares.</param>
/// <param name="CertificateFingerprint">The fingerprint of the whole certificate, in the same digest.</param>
/// <param name="Since">The first of the unbroken run of probes that saw it.</param>
public sealed record PresentedKeyJson(
    string MxHost, string Address, int Port, string? Sni, string PublicKeyFingerprint, string CertificateFingerprint, DateTimeOffset Since)
{
    public static PresentedKeyJson From(PresentedKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new PresentedKeyJson(
            key.MxHost, key.Target.Address.ToString(), key.Target.Port, key.Target.ServerName, key.PublicKey.Hex, key.Certificate.Hex, key.Since);
    }
}
