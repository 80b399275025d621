using PolicyDaemon.Administration.Probing;
using PolicyDaemon.Cli.Probing;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Cli.Output.Json;

/// <summary>One destination of <c>probe</c>.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="ProbedAt">When.</param>
/// <param name="Verdict"><c>ok</c>, <c>degraded</c>, <c>mismatch</c>, <c>unreachable</c> or <c>unknown</c>.</param>
/// <param name="Dns">Where its mail goes.</param>
/// <param name="Addresses">What each address showed.</param>
/// <param name="Pins">Pins that changed.</param>
/// <param name="Findings">What a person should read.</param>
/// <param name="NextDue">When the daemon looks again.</param>
internal sealed record ProbeJson(
    string Key, DateTimeOffset ProbedAt, string Verdict, DnsJson Dns, IReadOnlyList<ProbeAddressJson> Addresses,
    IReadOnlyList<TransitionJson> Pins, IReadOnlyList<ProbeFindingJson> Findings, DateTimeOffset NextDue)
{
    internal static ProbeJson From(ProbeOutput result, DigestAlgorithm digest) => new(
        result.Key,
        result.Result.At,
        result.Verdict.Name(),
        DnsJson.From(result.Result.Resolution),
        [.. result.Listed.Select(address => ProbeAddressJson.From(address, digest))],
        [
            .. result.Moved.Select(transition => new TransitionJson(
                transition.Fingerprint.Hex, transition.Subject.Name(), transition.From?.Name(), transition.To.Name(),
                transition.To == PinState.Candidate ? null : transition.Strength.Name(),
                transition.Rule.Name(), transition.Reason)),
        ],
        [.. result.Result.Result.Findings.Select(ProbeFindingJson.From)],
        result.Result.NextDue);
}

/// <summary>An address, as it was seen last.</summary>
/// <param name="Mx">The MX host.</param>
/// <param name="Address">Its address.</param>
/// <param name="Port">The port.</param>
/// <param name="Outcome">How the last attempt ended.</param>
/// <param name="ResultType">In RFC 8460; null where it has none.</param>
/// <param name="Keys">The certificates that it showed.</param>
internal sealed record ProbeAddressJson(
    string Mx, string Address, int Port, string? Outcome, string? ResultType, IReadOnlyList<ProbeKeyJson> Keys)
{
    internal static ProbeAddressJson From(AddressState address, DigestAlgorithm digest)
    {
        var visited = address.History.LastAttempt is not null;
        return new ProbeAddressJson(
            address.MxHost, address.History.Target.Address.ToString(), address.History.Target.Port,
            visited ? address.History.LastOutcome.Name() : null, visited ? address.History.LastOutcome.ResultType() : null,
            [
                .. ProbeOutput.Seen(address).Select(certificate => new ProbeKeyJson(
                    certificate.Algorithm.Name(), certificate.Digest(PinSubject.PublicKey, digest).Hex,
                    certificate.Digest(PinSubject.Certificate, digest).Hex, certificate.NotAfter)),
            ]);
    }
}

/// <summary>A certificate that was seen.</summary>
/// <param name="Algorithm"><c>rsa</c>, <c>ecdsa</c>, <c>eddsa</c> or <c>other</c>.</param>
/// <param name="PublicKeyFingerprint">In the digest that Postfix compares.</param>
/// <param name="CertificateFingerprint">In the same.</param>
/// <param name="NotAfter">Valid until.</param>
internal sealed record ProbeKeyJson(string Algorithm, string PublicKeyFingerprint, string CertificateFingerprint, DateTimeOffset NotAfter);

/// <summary>A pin that changed.</summary>
/// <param name="Fingerprint">Lower-case hexadecimal.</param>
/// <param name="Subject"><c>certificate</c> or <c>public-key</c>.</param>
/// <param name="From">The state before; null for a new pin.</param>
/// <param name="To">The state now.</param>
/// <param name="Strength">On what it is trusted; null for a candidate.</param>
/// <param name="Rule">The rule of the pin life cycle.</param>
/// <param name="Reason">Why.</param>
internal sealed record TransitionJson(string Fingerprint, string Subject, string? From, string To, string? Strength, string Rule, string Reason);

/// <summary>Something that a person should read.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Outcome">Its class.</param>
/// <param name="ResultType">In RFC 8460; null where it has none.</param>
/// <param name="Expected">The pins that are served.</param>
/// <param name="Seen">What was presented instead.</param>
/// <param name="Detail">A sentence.</param>
/// <param name="Remedy">The command that settles it.</param>
internal sealed record ProbeFindingJson(
    string Kind, string Outcome, string? ResultType, IReadOnlyList<string> Expected, IReadOnlyList<ProbePresentedKeyJson> Seen, string Detail, string Remedy)
{
    internal static ProbeFindingJson From(Finding finding) => new(
        finding.Kind.Name(), finding.Outcome!.Value.Name(), finding.Outcome.Value.ResultType(), [.. finding.Expected.Select(pin => pin.Hex)],
        [
            .. finding.Seen.Select(seen => new ProbePresentedKeyJson(
                seen.MxHost, seen.Target.Address.ToString(), seen.PublicKey.Hex, seen.Certificate.Hex, seen.Since)),
        ],
        finding.Detail, finding.Remedy);
}

/// <summary>A key that was presented.</summary>
/// <param name="Mx">By which MX host.</param>
/// <param name="Address">At which address.</param>
/// <param name="PublicKeyFingerprint">In the digest that Postfix compares.</param>
/// <param name="CertificateFingerprint">In the same.</param>
/// <param name="Since">The first of the unbroken run of probes that saw it.</param>
internal sealed record ProbePresentedKeyJson(string Mx, string Address, string PublicKeyFingerprint, string CertificateFingerprint, DateTimeOffset Since);
