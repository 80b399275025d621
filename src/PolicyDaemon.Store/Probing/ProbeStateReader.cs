using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Reads the state of probes for people.</summary>
internal sealed class ProbeStateReader
{
    private readonly DbConnection connection;
    private readonly TargetTable targets;
    private readonly StateTable states;
    private readonly TimeProvider time;

    internal ProbeStateReader(DbConnection connection, TimeProvider time)
    {
        this.time = time;
        this.connection = connection;
        targets = new TargetTable(connection, new HistoryCache());
        states = new StateTable(connection, targets);
    }

    /// <summary>True where the MX records were DNSSEC-secure and are not any more.</summary>
    internal bool HasLostSigning(NextHop key) =>
        states.FindId(key.Text) is { } id && states.Read(id) is { WasSecure: not 0, SecureSince: null };

    /// <returns>The state; null where the destination is not configured.</returns>
    internal ProbeState? Read(NextHop key)
    {
        if (states.FindId(key.Text) is not { } id)
            return null;
        if (states.Read(id) is not { } state)
            return new ProbeState();
        var now = time.GetUtcNow();
        var end = states.End(id);
        return new ProbeState
        {
            Verdict = end.Verdict(state.Verdict, state.LastProbe, now),
            VerdictSince = VerdictSince(end, state.VerdictSince, state.LastProbe, now),
            EndedSince = end.IsSince(state.LastProbe, now),
            LastProbe = state.LastProbe.Time(),
            NextDue = state.NextDue.Time(),
            Outcome = DnsOutcomes.TryParse(state.LastOutcome, out var outcome) ? outcome : DnsOutcome.Failed,
            Detail = state.LastDetail,
            Resolution = state.Resolution is null ? null : Resolutions.FromJson(state.Resolution, (state.ResolvedAt ?? 0).Time()),
            Addresses =
            [
                .. states.Targets(id).Select(target => new MxAddress
                {
                    MxHost = target.MxHost,
                    Listed = target.LastListed is null,
                    History = targets.Read(ProbeTarget.Parse(target.Target), mayKeep: true).History,
                }),
            ],
        };
    }

    /// <summary>Reads a summary of every destination that was probed.</summary>
    internal Dictionary<NextHop, ProbeSummary> Summaries()
    {
        var (expires, now) = (Expires(), time.GetUtcNow());
        var summaries = new Dictionary<NextHop, ProbeSummary>();
        foreach (var row in connection.Query<SummaryRow>(
            """
            SELECT d.key, d.id, d.valid_until, d.former, s.verdict, s.verdict_since, s.last_probe, s.next_due
            FROM probe_state s JOIN destination d ON d.id = s.destination_id
            """).ToList())
        {
            if (NextHop.TryParse(row.Key, out var key, out _))
            {
                var end = new StoredEnd(row.ValidUntil, row.Former);
                summaries[key] = new ProbeSummary(
                    end.Verdict(row.Verdict, row.LastProbe, now)!.Value, VerdictSince(end, row.VerdictSince, row.LastProbe, now),
                    row.LastProbe.Time(), row.NextDue.Time(), expires.TryGetValue(row.Id, out var until) ? until : null);
            }
        }

        return summaries;
    }

    /// <summary>How many destinations have each verdict; those that were never probed have none.</summary>
    internal Dictionary<DestinationVerdict, long> CountVerdicts(bool observed)
    {
        var counts = new Dictionary<DestinationVerdict, long>();
        foreach (var row in connection.Query<NamedCount>(
            """
            SELECT s.verdict AS name, count(*) AS count FROM probe_state s JOIN destination d ON d.id = s.destination_id
            WHERE d.observe = @observe GROUP BY s.verdict
            """,
            new { observe = observed ? 1L : 0L }).ToList())
        {
            if (DestinationVerdicts.TryParse(row.Name, out var verdict))
                counts[verdict] = row.Count;
        }

        // The few that have ended and still stand there as they were are counted as they are; others may write between the two statements.
        var now = time.GetUtcNow();
        foreach (var row in connection.Query<EndedRow>(
            """
            SELECT d.observe, d.valid_until, d.former, s.verdict, s.last_probe FROM destination d JOIN probe_state s ON s.destination_id = d.id
            WHERE d.valid_until <= @now
            """,
            new { now = now.Seconds() }).ToList())
        {
            var end = new StoredEnd(row.ValidUntil, row.Former);
            if ((row.Observe != 0) == observed && DestinationVerdicts.TryParse(row.Verdict, out var before))
                counts[before] = counts.GetValueOrDefault(before) - 1;
            if (end.Level("", now) is not null && end.Observes(row.Observe != 0, now) == observed && end.Verdict(row.Verdict, row.LastProbe, now) is { } after)
                counts[after] = counts.GetValueOrDefault(after) + 1;
        }

        return counts.Where(count => count.Value > 0).ToDictionary();
    }

    private static DateTimeOffset VerdictSince(StoredEnd end, long since, long lastProbe, DateTimeOffset now) =>
        (end.IsSince(lastProbe, now) ? end.ValidUntil!.Value : since).Time();

    /// <summary>Reads, by destination, when the first of the certificates in use expires. Each certificate is decoded once.</summary>
    private Dictionary<long, DateTimeOffset> Expires()
    {
        var ends = new Dictionary<long, DateTimeOffset?>();
        var expires = new Dictionary<long, DateTimeOffset>();
        foreach (var (destination, material) in connection.Query<InUseRow>(
            """
            SELECT DISTINCT l.destination_id AS destination, r.key_material_id AS material FROM mx_target l
            JOIN certificate_run r ON r.probe_target_id = l.probe_target_id
            WHERE l.last_listed IS NULL AND r.key_material_id IS NOT NULL
              AND r.id = (SELECT max(n.id) FROM certificate_run n WHERE n.probe_target_id = r.probe_target_id AND n.algorithm = r.algorithm)
            """).ToList())
        {
            if (!ends.TryGetValue(material, out var end))
                ends[material] = end = ServerCertificate.TryParse(Convert.FromBase64String(Der(material)))?.NotAfter;
            if (end is { } until && (!expires.TryGetValue(destination, out var known) || until < known))
                expires[destination] = until;
        }

        return expires;
    }

    private string Der(long material) => connection.QueryFirst<string>("SELECT der FROM key_material WHERE id = @material", new { material });

    internal sealed record SummaryRow(string Key, long Id, long? ValidUntil, string? Former, string Verdict, long VerdictSince, long LastProbe, long NextDue);

    internal sealed record EndedRow(long Observe, long? ValidUntil, string? Former, string Verdict, long LastProbe);

    internal sealed record InUseRow(long Destination, long Material);
}
