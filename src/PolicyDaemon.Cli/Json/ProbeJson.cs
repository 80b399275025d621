using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Administration.Probing;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Cli.Json;

/// <summary>One destination of <c>probe</c>.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Probed">What is stored of the destination, after this probe.</param>
/// <param name="Dns">Where its mail goes.</param>
/// <param name="Pins">Pins that changed.</param>
/// <param name="Findings">What a person should read.</param>
internal sealed record ProbeJson(
    string Key, ProbeStateJson? Probed, DnsJson Dns, IReadOnlyList<TransitionJson> Pins, IReadOnlyList<FindingJson> Findings)
{
    internal static ProbeJson From(StoredProbe probe, DigestAlgorithm digest, DateTimeOffset now) => new(
        probe.Key,
        ProbeStateJson.From(probe.State, probe.Entry, digest, now),
        DnsJson.From(probe.Result.Resolution),
        [
            .. probe.Moved.Select(transition => new TransitionJson(
                transition.Fingerprint.Hex, transition.Subject.Name(), transition.From?.Name(), transition.To?.Name(),
                transition.To == PinState.Candidate ? null : transition.Strength?.Name(),
                transition.Rule.Name(), transition.Reason)),
        ],
        [.. probe.Findings.Select(finding => FindingJson.From(finding))]);
}

/// <summary>A pin that changed.</summary>
/// <param name="Fingerprint">Lower-case hexadecimal.</param>
/// <param name="Subject"><c>certificate</c> or <c>public-key</c>.</param>
/// <param name="From">The state before; null for a new pin.</param>
/// <param name="To">The state now; null for a candidate that is forgotten.</param>
/// <param name="Strength">On what it is trusted; null for a candidate.</param>
/// <param name="Rule">The rule of the pin life cycle.</param>
/// <param name="Reason">Why.</param>
internal sealed record TransitionJson(string Fingerprint, string Subject, string? From, string? To, string? Strength, string Rule, string Reason);

/// <summary>What is stored of the probes of a destination.</summary>
/// <param name="Verdict"><c>unknown</c>, <c>ok</c>, <c>degraded</c>, <c>mismatch</c> or <c>unreachable</c>.</param>
/// <param name="VerdictSince">Since when it is so.</param>
/// <param name="Mail">What that does to mail, a sentence; null in lists.</param>
/// <param name="LastProbe">The last probe, whatever came of it.</param>
/// <param name="NextProbe">The next.</param>
/// <param name="Expires">The end of the first of the certificates in use; null where none is known.</param>
/// <param name="DaysLeft">Whole days until then.</param>
/// <param name="Outcome">How the last lookup of the MX hosts ended, <c>found</c> where it worked; null in lists.</param>
/// <param name="Detail">What went wrong with it.</param>
/// <param name="Addresses">What each address presented last; null in lists.</param>
internal sealed record ProbeStateJson(
    string Verdict, DateTimeOffset? VerdictSince, string? Mail, DateTimeOffset? LastProbe, DateTimeOffset? NextProbe, DateTimeOffset? Expires,
    int? DaysLeft, string? Outcome, string? Detail, IReadOnlyList<AddressJson>? Addresses)
{
    /// <returns>Null before the first probe.</returns>
    internal static ProbeStateJson? From(ProbeState? state, Destination destination, DigestAlgorithm digest, DateTimeOffset now) =>
        state is not { Verdict: { } verdict }
            ? null
            : new ProbeStateJson(
                verdict.Name(), state.VerdictSince, VerdictSentence.Of(state, destination.Observe, destination.Key.Text, now), state.LastProbe, state.NextDue, state.Expires,
                state.Expires is { } end ? Phrases.DaysUntil(end, now) : null, state.Outcome.Name(), state.Detail,
                [.. state.Addresses.Select(address => AddressJson.From(address, Frame(destination, digest, now)))]);

    internal static ProbeStateJson? From(ProbeSummary? summary, DateTimeOffset now) => summary is null
        ? null
        : new ProbeStateJson(
            summary.Verdict.Name(), summary.VerdictSince, null, summary.LastProbe, summary.NextDue, summary.Expires,
            summary.Expires is { } end ? Phrases.DaysUntil(end, now) : null, null, null, null);

    internal static CertificateFrame Frame(Destination destination, DigestAlgorithm digest, DateTimeOffset now) => new(
        digest, destination.Policy.Level.MatchesFingerprints() ? [.. destination.Pins.Where(pin => pin.IsServed)] : null, now);
}

/// <summary>What is remembered of an address.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Port">The port.</param>
/// <param name="Sni">The name that is sent (SNI); null for none.</param>
/// <param name="Listed">False where DNS names it no more.</param>
/// <param name="LastProbe">The last probe; null where there was none.</param>
/// <param name="Outcome">How that ended, <c>secured</c> where a certificate was seen; null where there was none.</param>
/// <param name="ResultType">In RFC 8460; null where it has none.</param>
/// <param name="Failures">Probes in a row that said nothing about the server.</param>
/// <param name="Certificates">What it presented last, one for each key algorithm.</param>
internal sealed record AddressJson(
    string MxHost, string Address, int Port, string? Sni, bool Listed, DateTimeOffset? LastProbe, string? Outcome, string? ResultType, int Failures,
    IReadOnlyList<CertificateJson> Certificates)
{
    internal static AddressJson From(MxAddress address, CertificateFrame frame)
    {
        var (history, target) = (address.History, address.History.Target);
        var probed = history.LastAttempt is not null;
        return new AddressJson(
            address.MxHost, target.Address.ToString(), target.Port, target.ServerName, address.Listed, history.LastAttempt,
            probed ? history.LastOutcome.Name() : null, probed ? history.LastOutcome.ResultType() : null, history.FailuresInARow,
            [
                .. history.Algorithms.Select(algorithm => history.Latest(algorithm)!).Where(run => run.Certificate is not null)
                    .Select(run => CertificateJson.From(run, address.MxHost, frame)),
            ]);
    }
}

/// <summary>An entry that stands behind a mail server, a recipient or a message.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Level">Its level; null where it was removed meanwhile.</param>
/// <param name="MxHost">The server's name in MX records; null where a recipient was asked for.</param>
/// <param name="Address">The server's address and port; null as before.</param>
/// <param name="Listed">True where the last lookup still leads to that server.</param>
/// <param name="Verdict">What the last probe says of its mail; null before the first.</param>
/// <param name="WaitingMessages">Deferred messages, a least number where the queue is not read to its end; null where that is not known.</param>
internal sealed record WhoJson(string Key, string? Level, string? MxHost, string? Address, bool Listed, string? Verdict, long? WaitingMessages);
