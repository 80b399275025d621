using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Findings;

namespace PolicyDaemon.Store.Probing;

/// <summary>Writes the result of a destination's probe: its state, pins with their audit rows, findings. Inside the caller's transaction.</summary>
internal sealed class ProbeResultWriter(StoreSession session, StateTable states, TargetTable targets, MaterialTable material)
{
    private const int MaxReason = 1000;

    private readonly DbConnection connection = session.Connection;

    /// <summary>Writes the result; nothing where the destination was removed meanwhile, or a later probe is stored already.</summary>
    internal void Write(ProbeResult result, PostfixSettings postfix, DateTimeOffset now)
    {
        if (states.Find(result.Key.Text) is not { Id: var id } destination)
            return;
        var before = states.Read(id);
        // One that is later than now was recorded by a clock that was ahead.
        if (before is not null && before.LastProbe > result.At.Seconds() && before.LastProbe <= now.Seconds())
            return;
        states.Write(id, before, result);
        foreach (var (host, since) in result.Result.NewKeys)
            WriteNewKey(host, since);
        if (!result.Result.Transitions.IsEmpty)
            Move(result, postfix, now);
        KeepMaterial(result, id);
        // At levels none and discovered a probe is a person's, or began before the level did: no other one would ever end what it found.
        if (TlsLevels.TryParse(destination.Level, out var level) && !level.IsProbed())
            FindingTable.Replace(connection, result.Key.Text, FindingSource.Probe, [], result.At);
        else
            FindingTable.Replace(connection, result.Key.Text, FindingSource.Probe, result.Result.Findings, result.At, result.Undecided);
    }

    private void WriteNewKey(string host, DateTimeOffset at) => connection.Execute(
        "INSERT INTO new_key (mx_host, since) VALUES (@host, @since) ON CONFLICT (mx_host, since) DO NOTHING", new { host, since = at.Seconds() });

    private void Move(ProbeResult result, PostfixSettings postfix, DateTimeOffset now)
    {
        if (new DestinationTable(connection).Find(result.Key.Text)?.Value is not { } before || !before.Policy.Level.MatchesFingerprints())
            return;
        var (pins, applied) = PinTransitions.Apply(
            before.Pins, result.Result.Transitions, before.Mode, result.At.Whole(), next => IsNoWorse(before, next, postfix));
        if (applied.IsEmpty)
            return;
        var reason = string.Join("; ", applied.Select(transition => $"{transition.Rule.Name()}: {transition.Reason}").Distinct());
        var origin = new ChangeOrigin(
            Actor.Prober, $"probe {result.Key}", reason.Length <= MaxReason ? reason : string.Concat(reason.AsSpan(0, MaxReason), "..."))
        {
            IsAutomation = true,
        };
        var changes = new DestinationChanges(session, session.StoreId, origin, postfix, now, onRecord: null);
        // A transition is a proposal: what may not be written is left out, and the rest of the result is kept.
        var judged = changes.Judge(before.Key, before with { Pins = pins });
        if (changes.Refusal(judged) is not null)
            return;
        changes.Write(judged, Evidence(result, applied));
        changes.Audit.Complete();
    }

    /// <summary>False where the entry could not be served any more, or would lose its last pin that Postfix compares: automation leaves no entry worse than it was.</summary>
    private static bool IsNoWorse(Destination before, ImmutableArray<Pin> pins, PostfixSettings postfix)
    {
        var after = before with { Pins = pins };
        return (PolicyRules.Problems(after, postfix).Count == 0 || PolicyRules.Problems(before, postfix).Count > 0)
            && (after.Pins.Any(IsCompared) || !before.Pins.Any(IsCompared));

        bool IsCompared(Pin pin) => pin.IsServed && pin.Fingerprint.Algorithm == postfix.FingerprintDigest;
    }

    private string Evidence(ProbeResult result, ImmutableArray<PinTransition> applied) => JsonSerializer.Serialize(
        new EvidenceDocument(
            result.At.Seconds(),
            [.. applied.Select(transition => new TransitionDocument(
                transition.Fingerprint.Hex, transition.From?.Name(), transition.To?.Name(), transition.Strength?.Name(), transition.Rule.Name(),
                transition.Reason))],
            result.Resolution.MxDnssec.Name(),
            [.. result.Resolution.Hosts.Select(host => host.Name)],
            [.. Presented(result).Select(shown => new CertificateRunDocument(
                shown.Target.MxHost, shown.Target.Target.Id, shown.Run.Algorithm.Name(), shown.Run.Certificate!.Id.Hex,
                shown.Run.Certificate.KeyId.Hex, shown.Run.First.Seconds(), shown.Run.Last.Seconds(), shown.Run.Probes,
                shown.Run.TrustedSince?.Seconds()))]),
        StoreJson.Default.EvidenceDocument);

    /// <summary>Stores the whole key or certificate of each pin that was presented, so that another digest of it can be served later.</summary>
    private void KeepMaterial(ProbeResult result, long destination)
    {
        var pins = connection.Query<PinRow>(
            "SELECT id, fingerprint FROM pin WHERE destination_id = @destination AND key_material_id IS NULL", new { destination }).ToList();
        if (pins.Count == 0)
            return;
        var certificates = Presented(result).Select(shown => shown.Run.Certificate!).Distinct().ToList();
        foreach (var pin in pins)
        {
            if (!Fingerprint.TryParse(pin.Fingerprint, out var fingerprint, out _))
                continue;
            foreach (var certificate in certificates)
            {
                if (certificate.Matches(fingerprint, out var subject))
                {
                    SetMaterial(pin.Id, material.Keep(certificate, subject, result.At));
                    break;
                }
            }
        }
    }

    private void SetMaterial(long pin, long id) => connection.Execute("UPDATE pin SET key_material_id = @id WHERE id = @pin", new { pin, id });

    private IEnumerable<(MxTarget Target, CertificateRun Run)> Presented(ProbeResult result) =>
        from target in result.Targets
        let history = targets.Read(target.Target, mayKeep: false).History
        from algorithm in history.Algorithms
        let run = history.Latest(algorithm)
        where run.Certificate is not null
        select (target, run);

    internal sealed record PinRow(long Id, string Fingerprint);
}
