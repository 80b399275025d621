using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Store.Probing;

/// <summary>Reads what is to be looked at, and when. At level none there is nothing to look at.</summary>
/// <remarks>A million destinations are never read at once but by policyctl; an entry whose key cannot be read is passed over.</remarks>
internal sealed class DueTable(SqliteConnection connection) : IDisposable
{
    /// <summary>Up to so many are shuffled; of more, places are drawn.</summary>
    private const int Shuffled = 10_000;

    private readonly Statement all = new(
        connection,
        """
        SELECT d.id, d.key, s.next_due FROM destination d LEFT JOIN probe_state s ON s.destination_id = d.id WHERE d.level <> 'none'
        """,
        0);

    private readonly Statement due = new(
        connection,
        """
        SELECT d.id, d.key, s.next_due FROM probe_state s JOIN destination d ON d.id = s.destination_id
        WHERE s.next_due <= $0 AND d.level <> 'none' ORDER BY s.next_due LIMIT $1
        """,
        2);

    private readonly Statement unprobed = new(
        connection,
        """
        SELECT d.id, d.key, NULL FROM destination d
        WHERE d.id > $0 AND d.level <> 'none' AND NOT EXISTS (SELECT 1 FROM probe_state s WHERE s.destination_id = d.id)
        ORDER BY d.id LIMIT $1
        """,
        2);

    private readonly Statement watched = new(connection, "SELECT count(*) FROM destination WHERE level <> 'none'", 0);

    private readonly Statement known = new(connection, "SELECT count(*) FROM probe_state", 0);

    private readonly Statement waiting = new(connection, "SELECT count(*) FROM probe_state WHERE next_due <= $0", 1);

    private readonly Statement lastId = new(connection, "SELECT coalesce(max(id), 0) FROM destination", 0);

    private readonly Statement from = new(
        connection, "SELECT id, key, NULL FROM destination WHERE id >= $0 AND level <> 'none' ORDER BY id LIMIT 1", 1);

    internal List<ProbeDue> All() => [.. Parsed(all.Query(ReadRow)).Select(row => new ProbeDue(row.Key, row.Due?.Time()))];

    internal List<ProbeDue> Due(long until, int limit) =>
        [.. Parsed(due.Query(ReadRow, until, limit)).Select(row => new ProbeDue(row.Key, row.Due?.Time()))];

    internal UnprobedPage New(long after, int limit)
    {
        var rows = unprobed.Query(ReadRow, after, limit);
        return new UnprobedPage([.. Parsed(rows).Select(row => row.Key)], rows.Count == 0 ? after : rows[^1].Id, rows.Count < limit);
    }

    internal ProbeCounts Count(long now)
    {
        var all = (long)watched.Scalar()!;
        var never = Math.Max(0, all - (long)known.Scalar()!);
        return new ProbeCounts((int)all, (int)Math.Min(all, never + (long)waiting.Scalar(now)!));
    }

    internal List<NextHop> Sample(int size, Random random)
    {
        var last = (long)lastId.Scalar()!;
        if (last <= Shuffled)
        {
            var keys = Parsed(all.Query(ReadRow)).Select(row => row.Key).ToArray();
            random.Shuffle(keys);
            return [.. keys.Take(size)];
        }

        var drawn = new HashSet<NextHop>();
        for (var attempt = 0; attempt < 2 * size && drawn.Count < size; attempt++)
            drawn.UnionWith(Parsed(from.Query(ReadRow, random.NextInt64(last) + 1)).Select(row => row.Key));
        return [.. drawn];
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[all, due, unprobed, watched, known, waiting, lastId, from])
            statement.Dispose();
    }

    private static Row ReadRow(SqliteDataReader row) => new(row.GetInt64(0), row.GetString(1), TargetTable.Long(row, 2));

    private static IEnumerable<(NextHop Key, long? Due)> Parsed(IEnumerable<Row> rows)
    {
        foreach (var row in rows)
        {
            if (NextHop.TryParse(row.Key, out var key, out _))
                yield return (key, row.Due);
        }
    }

    private readonly record struct Row(long Id, string Key, long? Due);
}
