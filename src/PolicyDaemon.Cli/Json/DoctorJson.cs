using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Administration.Doctor.OwnSide;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Cli.Json;

/// <summary>The result of <c>doctor</c>.</summary>
/// <param name="Findings">Every thing that was looked at, from green to red.</param>
/// <param name="Keys">What partners are told of our own keys; empty without <c>--own</c> and <c>--next</c>.</param>
internal sealed record DoctorJson(IReadOnlyList<DoctorFindingJson> Findings, IReadOnlyList<OwnKeyJson> Keys);

/// <summary>One thing that was looked at.</summary>
/// <param name="Severity"><c>ok</c>, <c>note</c>, <c>unknown</c>, <c>warning</c> or <c>problem</c>.</param>
/// <param name="Check">What was looked at.</param>
/// <param name="Text">What was seen, and what it means for mail.</param>
/// <param name="Commands">The command lines that settle it, in order.</param>
internal sealed record DoctorFindingJson(string Severity, string Check, string Text, IReadOnlyList<string> Commands)
{
    internal static DoctorFindingJson From(DoctorFinding finding) => new(finding.Severity.Name(), finding.Check, finding.Text, finding.Remedy);
}

/// <summary>A key of our own, in one digest.</summary>
/// <param name="Use"><c>now</c> or <c>next</c>.</param>
/// <param name="Source">The file, or the MX host that presents it.</param>
/// <param name="EndsAt">The end of its certificate; null for a key without one.</param>
/// <param name="Digest">The algorithm of both fingerprints.</param>
/// <param name="Certificate">The fingerprint of the certificate, lower case without colons; null for a key without one.</param>
/// <param name="PublicKey">The fingerprint of the public key.</param>
/// <param name="Tlsa">The data of a TLSA record for it: 3 1 1 and the digest.</param>
internal sealed record OwnKeyJson(string Use, string Source, DateTimeOffset? EndsAt, string Digest, string? Certificate, string PublicKey, string Tlsa)
{
    internal static OwnKeyJson From(OwnKey key, DigestAlgorithm digest) => new(
        key.Use, key.Source, key.Certificate?.NotAfter, digest.Name(), key.CertificateFingerprint(digest)?.Hex, key.KeyFingerprint(digest).Hex, key.Tlsa.ToString());
}
