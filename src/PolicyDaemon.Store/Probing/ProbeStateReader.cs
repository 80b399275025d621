using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Rows;

namespace PolicyDaemon.Store.Probing;

/// <summary>Reads what the prober knows, for people.</summary>
internal sealed class ProbeStateReader(SqliteConnection connection) : IDisposable
{
    private readonly HistoryCache cache = new();
    private readonly StateTable states = new(connection);
    private TargetTable? targets;

    /// <returns>Null where the destination is not configured.</returns>
    internal ProbeState? Read(NextHop key)
    {
        if (states.FindId(key.Text) is not { } id)
            return null;
        if (states.Read(id) is not { } state)
            return new ProbeState();
        targets ??= new TargetTable(connection, cache);
        return new ProbeState
        {
            Verdict = DestinationVerdicts.TryParse(state.Verdict, out var verdict) ? verdict : DestinationVerdict.Unknown,
            VerdictSince = state.VerdictSince.Time(),
            LastProbe = state.LastProbe.Time(),
            NextDue = state.NextDue.Time(),
            Outcome = DnsOutcomes.TryParse(state.LastOutcome, out var outcome) ? outcome : DnsOutcome.Failed,
            Detail = state.LastDetail,
            Addresses =
            [
                .. states.Listings(id).Select(listing => new MxAddress(
                    listing.MxHost, listing.LastListed is null, targets.Read(ProbeTarget.Parse(listing.Target), mayKeep: true).History)),
            ],
        };
    }

    /// <summary>Every destination that was looked at.</summary>
    internal Dictionary<NextHop, ProbeSummary> Summaries()
    {
        var expires = Expires();
        using var rows = new Statement(
            connection,
            """
            SELECT d.key, d.id, s.verdict, s.verdict_since, s.last_look, s.next_due
            FROM probe_state s JOIN destination d ON d.id = s.destination_id
            """,
            0);
        var summaries = new Dictionary<NextHop, ProbeSummary>();
        foreach (var (key, id, verdict, since, look, due) in rows.Query(row =>
            (row.GetString(0), row.GetInt64(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5))))
        {
            if (NextHop.TryParse(key, out var nextHop, out _))
            {
                summaries[nextHop] = new ProbeSummary(
                    DestinationVerdicts.TryParse(verdict, out var known) ? known : DestinationVerdict.Unknown, since.Time(), look.Time(), due.Time(),
                    expires.TryGetValue(id, out var until) ? until : null);
            }
        }

        return summaries;
    }

    /// <summary>How many destinations have each verdict; those that were never looked at have none.</summary>
    internal List<NameCountRow> CountVerdicts(bool observed)
    {
        using var count = new Statement(
            connection,
            """
            SELECT s.verdict, count(*) FROM probe_state s JOIN destination d ON d.id = s.destination_id WHERE d.observe = $0
            GROUP BY s.verdict
            """,
            1);
        return count.Query(row => new NameCountRow { Name = row.GetString(0), Count = row.GetInt64(1) }, observed ? 1 : 0);
    }

    public void Dispose()
    {
        states.Dispose();
        targets?.Dispose();
    }

    /// <summary>By destination, when the first of the certificates in use ends. Each certificate is decoded once.</summary>
    private Dictionary<long, DateTimeOffset> Expires()
    {
        using var inUse = new Statement(
            connection,
            """
            SELECT DISTINCT l.destination_id, g.key_material_id FROM probe_listing l
            JOIN sighting g ON g.probe_target_id = l.probe_target_id
            WHERE l.last_listed IS NULL AND g.key_material_id IS NOT NULL
              AND g.id = (SELECT max(n.id) FROM sighting n WHERE n.probe_target_id = g.probe_target_id AND n.algorithm = g.algorithm)
            """,
            0);
        using var der = new Statement(connection, "SELECT der FROM key_material WHERE id = $0", 1);
        var ends = new Dictionary<long, DateTimeOffset?>();
        var expires = new Dictionary<long, DateTimeOffset>();
        foreach (var (state, material) in inUse.Query(row => (row.GetInt64(0), row.GetInt64(1))))
        {
            if (!ends.TryGetValue(material, out var end))
                ends[material] = end = ServerCertificate.TryParse(Convert.FromBase64String((string)der.Scalar(material)!))?.NotAfter;
            if (end is { } until && (!expires.TryGetValue(state, out var known) || until < known))
                expires[state] = until;
        }

        return expires;
    }
}
