using PolicyDaemon.Cli.Statuses;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Cli.Output.Json;

/// <summary>What the prober knows of a destination.</summary>
/// <param name="Verdict"><c>unknown</c>, <c>ok</c>, <c>degraded</c>, <c>mismatch</c> or <c>unreachable</c>.</param>
/// <param name="VerdictSince">Since when it is so.</param>
/// <param name="Mail">What that does to mail, in words.</param>
/// <param name="LastProbe">The last look, whatever came of it.</param>
/// <param name="NextProbe">The next.</param>
/// <param name="Expires">The end of the first of the certificates in use; null where none is known.</param>
/// <param name="DaysLeft">Whole days until then.</param>
/// <param name="Outcome">How the last lookup of the MX hosts ended, <c>found</c> where it worked; null in lists.</param>
/// <param name="Detail">What went wrong with it.</param>
/// <param name="Addresses">What each address showed; null in lists.</param>
internal sealed record ProbedJson(
    string Verdict, DateTimeOffset? VerdictSince, string? Mail, DateTimeOffset? LastProbe, DateTimeOffset? NextProbe, DateTimeOffset? Expires,
    int? DaysLeft, string? Outcome, string? Detail, IReadOnlyList<ProbedAddressJson>? Addresses)
{
    /// <returns>Null where it was never looked at.</returns>
    internal static ProbedJson? From(ProbeState? known, Destination destination, DigestAlgorithm digest, DateTimeOffset now) =>
        known is not { Verdict: { } verdict }
            ? null
            : new ProbedJson(
                verdict.Name(), known.VerdictSince, VerdictText.Mail(known, destination.Observe).Text, known.LastProbe, known.NextDue, known.Expires,
                known.Expires is { } end ? VerdictText.Days(end, now) : null, known.Outcome.Name(), known.Detail,
                [.. known.Addresses.Select(address => ProbedAddressJson.From(address, destination, digest, now))]);

    internal static ProbedJson? From(ProbeSummary? known, DateTimeOffset now) => known is null
        ? null
        : new ProbedJson(
            known.Verdict.Name(), known.VerdictSince, null, known.LastProbe, known.NextDue, known.Expires,
            known.Expires is { } end ? VerdictText.Days(end, now) : null, null, null, null);
}

/// <summary>What is remembered of an address.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Target">Address and port, with <c>/name</c> where a name is sent (SNI).</param>
/// <param name="Listed">False where DNS names it no more.</param>
/// <param name="LastAttempt">The last probe; null where there was none.</param>
/// <param name="Outcome">How that ended, <c>secured</c> where a certificate was seen; null where there was none.</param>
/// <param name="Failures">Attempts in a row that said nothing about the server.</param>
/// <param name="Certificates">What it presented last, one for each key algorithm.</param>
internal sealed record ProbedAddressJson(
    string MxHost, string Target, bool Listed, DateTimeOffset? LastAttempt, string? Outcome, int Failures,
    IReadOnlyList<ProbedCertificateJson> Certificates)
{
    internal static ProbedAddressJson From(MxAddress address, Destination destination, DigestAlgorithm digest, DateTimeOffset now)
    {
        var history = address.History;
        return new ProbedAddressJson(
            address.MxHost, history.Target.Id, address.Listed, history.LastAttempt, history.LastAttempt is null ? null : history.LastOutcome.Name(),
            history.FailuresInARow,
            [
                .. history.Algorithms.Select(algorithm => history.Latest(algorithm)!).Where(run => run.Certificate is not null)
                    .Select(run => ProbedCertificateJson.From(run, destination, digest, now)),
            ]);
    }
}

/// <summary>A certificate that an address presents.</summary>
/// <param name="Subject">X.500 name.</param>
/// <param name="Issuer">X.500 name.</param>
/// <param name="Algorithm"><c>rsa</c>, <c>ecdsa</c>, <c>eddsa</c> or <c>other</c>.</param>
/// <param name="KeyBits">0 where it cannot be told.</param>
/// <param name="NotAfter">Valid until.</param>
/// <param name="DaysLeft">Whole days; negative where it has expired.</param>
/// <param name="PublicKeyFingerprint">Of the public key, in the digest that Postfix compares.</param>
/// <param name="CertificateFingerprint">Of the whole certificate.</param>
/// <param name="FirstSeen">The first of the unbroken run of probes that saw it.</param>
/// <param name="LastSeen">The last.</param>
/// <param name="Probes">How many.</param>
/// <param name="TrustedSince">Since when each probe found a chain that the WebPKI trusts; null where the last did not.</param>
/// <param name="Pinned">Whether a served pin is of it.</param>
internal sealed record ProbedCertificateJson(
    string Subject, string Issuer, string Algorithm, int KeyBits, DateTimeOffset NotAfter, int DaysLeft, string PublicKeyFingerprint,
    string CertificateFingerprint, DateTimeOffset FirstSeen, DateTimeOffset LastSeen, int Probes, DateTimeOffset? TrustedSince, bool Pinned)
{
    internal static ProbedCertificateJson From(CertificateRun run, Destination destination, DigestAlgorithm digest, DateTimeOffset now)
    {
        var certificate = run.Certificate!;
        return new ProbedCertificateJson(
            certificate.Subject, certificate.Issuer, certificate.Algorithm.Name(), certificate.KeyBits, certificate.NotAfter,
            VerdictText.Days(certificate.NotAfter, now), certificate.Digest(PinSubject.PublicKey, digest).Hex,
            certificate.Digest(PinSubject.Certificate, digest).Hex, run.First, run.Last, run.Probes, run.TrustedSince,
            destination.Pins.Any(pin => pin.IsServed && certificate.Matches(pin.Fingerprint)));
    }
}
