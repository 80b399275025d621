using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Writes what a look at a destination came to: memory, pins with their audit rows, findings. Inside the caller's transaction.</summary>
internal sealed class ProbeResultWriter(
    SqliteConnection connection, string path, string storeId, StateTable states, TargetTable targets, MaterialTable material) : IDisposable
{
    private const int MaxReason = 1000;

    private readonly StateWriter memory = new(connection, targets);
    private readonly FindingWriter findings = new(connection);

    private readonly Statement unknown = new(
        connection, "SELECT id, fingerprint FROM pin WHERE destination_id = $0 AND key_material_id IS NULL", 1);

    private readonly Statement know = new(connection, "UPDATE pin SET key_material_id = $1 WHERE id = $0", 2);

    private readonly Statement newKey = new(
        connection, "INSERT INTO new_key (mx_host, since) VALUES ($0, $1) ON CONFLICT (mx_host, since) DO NOTHING", 2);

    /// <summary>Writes nothing where the destination is gone by now, or a later probe is kept already.</summary>
    internal void Write(ProbeResult round, PostfixSettings postfix, DateTimeOffset now)
    {
        if (states.FindId(round.Key.Text) is not { } id)
            return;
        var before = states.Read(id);
        // One that is later than now was recorded by a clock that was ahead.
        if (before is not null && before.LastProbe > round.At.Seconds() && before.LastProbe <= now.Seconds())
            return;
        memory.Write(id, before, before is null ? [] : states.Listings(id), round);
        foreach (var (host, since) in round.Result.NewKeys)
            newKey.Execute(host, since.Seconds());
        if (!round.Result.Transitions.IsEmpty)
            Move(round, postfix, now);
        KeepMaterial(round, id);
        findings.Write(round);
    }

    /// <inheritdoc cref="IProbeLedger.RecallFuture"/>
    internal int RecallFuture(DateTimeOffset now, DateTimeOffset dueAfter) => memory.RecallFuture(now.Seconds(), dueAfter.Seconds());

    public void Dispose()
    {
        foreach (var part in (IDisposable[])[memory, findings, unknown, know, newKey])
            part.Dispose();
    }

    private void Move(ProbeResult round, PostfixSettings postfix, DateTimeOffset now)
    {
        using var table = new DestinationTable(connection);
        if (table.Find(round.Key.Text)?.Value is not { } before || !before.Policy.Level.MatchesFingerprints())
            return;
        var (pins, applied) = PinTransitions.Apply(
            before.Pins, round.Result.Transitions, before.Mode, round.At.Whole(), next => IsNoWorse(before, next, postfix));
        if (applied.IsEmpty)
            return;
        var reason = string.Join("; ", applied.Select(transition => $"{transition.Rule.Name()}: {transition.Reason}").Distinct());
        var origin = new ChangeOrigin(
            Actor.Prober, $"probe {round.Key}", reason.Length <= MaxReason ? reason : string.Concat(reason.AsSpan(0, MaxReason), "..."))
        {
            IsAutomation = true,
        };
        using var changes = new DestinationChanges(connection, path, storeId, origin, postfix, now);
        // A transition is a proposal: what may not be written is left out, and the rest of the result is kept.
        var judged = changes.Judge(before.Key, before with { Pins = pins });
        if (changes.Refusal(judged) is null)
            changes.Write(judged, Evidence(round, applied));
    }

    /// <summary>Automation leaves no entry worse than it was: neither one that cannot be served, nor one without a pin that Postfix compares.</summary>
    private static bool IsNoWorse(Destination before, ImmutableArray<Pin> pins, PostfixSettings postfix)
    {
        var after = before with { Pins = pins };
        return (PolicyRules.Problems(after, postfix).Count == 0 || PolicyRules.Problems(before, postfix).Count > 0)
            && (after.Pins.Any(IsCompared) || !before.Pins.Any(IsCompared));

        bool IsCompared(Pin pin) => pin.IsServed && pin.Fingerprint.Algorithm == postfix.FingerprintDigest;
    }

    private string Evidence(ProbeResult round, ImmutableArray<PinTransition> applied) => JsonSerializer.Serialize(
        new EvidenceDocument(
            round.At.Seconds(),
            [.. applied.Select(transition => new TransitionDocument(
                transition.Fingerprint.Hex, transition.From?.Name(), transition.To.Name(), transition.Strength.Name(), transition.Rule.Name(),
                transition.Reason))],
            round.Resolution.MxDnssec.Name(),
            [.. round.Resolution.Hosts.Select(host => host.Name)],
            [.. Presented(round).Select(shown => new CertificateRunDocument(
                shown.Known.MxHost, shown.Known.Target.Id, shown.Run.Algorithm.Name(), shown.Run.Certificate!.Id.Hex, shown.Run.Certificate.KeyId.Hex,
                shown.Run.First.Seconds(), shown.Run.Last.Seconds(), shown.Run.Probes, shown.Run.TrustedSince?.Seconds()))]),
        StoreJson.Default.EvidenceDocument);

    /// <summary>Keeps the whole key or certificate of each pin that was seen, so that another digest of it can be served later.</summary>
    private void KeepMaterial(ProbeResult round, long destination)
    {
        var pins = unknown.Query(ReadPin, destination);
        if (pins.Count == 0)
            return;
        var certificates = Presented(round).Select(shown => shown.Run.Certificate!).Distinct().ToList();
        foreach (var (id, hex) in pins)
        {
            if (!Fingerprint.TryParse(hex, out var fingerprint, out _))
                continue;
            foreach (var certificate in certificates)
            {
                if (certificate.Matches(fingerprint, out var subject))
                {
                    know.Execute(id, material.Keep(certificate, subject, round.At));
                    break;
                }
            }
        }
    }

    private IEnumerable<(MxTarget Known, CertificateRun Run)> Presented(ProbeResult round) =>
        from known in round.Targets
        let history = targets.Read(known.Target, mayKeep: false).History
        from algorithm in history.Algorithms
        let run = history.Latest(algorithm)
        where run.Certificate is not null
        select (known, run);

    private static (long Id, string Fingerprint) ReadPin(SqliteDataReader row) => (row.GetInt64(0), row.GetString(1));
}
