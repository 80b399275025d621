using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>Reads which destinations are to be probed, and when: those at levels that are probed; the entry * is none.</summary>
/// <remarks>A million destinations are never read at once but by policyctl; an entry whose key cannot be read is passed over.</remarks>
internal sealed class DueTable(DbConnection connection)
{
    // As the index destination_probed has it.
    private static readonly string Probed = ProbedLevels.Condition + " AND d.key <> '*'";

    internal List<ProbeDue> All() => [.. Parsed(Rows()).Select(row => new ProbeDue(row.Key, row.Due?.Time()))];

    internal List<ProbeDue> Due(DateTimeOffset until, int limit) =>
    [
        .. Parsed(connection.Query<Row>(
            "SELECT d.id, d.key, s.next_due FROM probe_state s JOIN destination d ON d.id = s.destination_id "
            + "WHERE s.next_due <= @until AND " + Probed + " ORDER BY s.next_due LIMIT @limit",
            new { until = until.Seconds(), limit = (long)limit }).ToList()).Select(row => new ProbeDue(row.Key, row.Due?.Time())),
    ];

    internal UnprobedPage Unprobed(long after, int limit)
    {
        var rows = connection.Query<Row>(
            "SELECT d.id, d.key, CAST(NULL AS BIGINT) AS next_due FROM destination d WHERE d.id > @after AND " + Probed
            + " AND NOT EXISTS (SELECT 1 FROM probe_state s WHERE s.destination_id = d.id) ORDER BY d.id LIMIT @limit",
            new { after, limit = (long)limit }).ToList();
        return new UnprobedPage([.. Parsed(rows).Select(row => row.Key)], rows.Count == 0 ? after : rows[^1].Id, rows.Count < limit);
    }

    internal ProbeCounts Count(DateTimeOffset now)
    {
        var all = connection.ExecuteScalar<long>("SELECT count(*) FROM destination d WHERE " + Probed);
        var probed = connection.ExecuteScalar<long>("SELECT count(*) FROM probe_state");
        var due = connection.ExecuteScalar<long>("SELECT count(*) FROM probe_state WHERE next_due <= @now", new { now = now.Seconds() });
        // A person may have one of the others probed; nothing else probes it again.
        var idle = connection.ExecuteScalar<long>(
            "SELECT count(*) FROM destination d JOIN probe_state s ON s.destination_id = d.id WHERE NOT (" + Probed + ") AND s.next_due > @now",
            new { now = now.Seconds() });
        return new ProbeCounts((int)all, (int)Math.Clamp(all - (probed - due - idle), 0, all));
    }

    private List<Row> Rows() => connection.Query<Row>(
        "SELECT d.id, d.key, s.next_due FROM destination d LEFT JOIN probe_state s ON s.destination_id = d.id WHERE " + Probed).ToList();

    private static IEnumerable<(NextHop Key, long? Due)> Parsed(IEnumerable<Row> rows)
    {
        foreach (var row in rows)
        {
            if (NextHop.TryParse(row.Key, out var key, out _))
                yield return (key, row.NextDue);
        }
    }

    internal sealed record Row(long Id, string Key, long? NextDue);
}
