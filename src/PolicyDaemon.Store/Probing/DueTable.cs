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
        SELECT d.id, d.key, s.next_due FROM destination d LEFT JOIN probe_state s ON s.destination_id = d.id
        WHERE d.mx_group_id IS NULL AND d.level <> 'none'
        UNION ALL
        SELECT d.id, d.key, s.next_due FROM mx_group g
        JOIN destination d ON d.id = (SELECT min(m.id) FROM destination m WHERE m.mx_group_id = g.id AND m.level <> 'none')
        LEFT JOIN probe_state s ON s.mx_group_id = g.id
        """,
        0);

    // CROSS JOIN: SQLite then takes them by their time, and stops at the limit.
    private readonly Statement due = new(
        connection,
        """
        SELECT d.id, d.key, s.next_due FROM probe_state s
        CROSS JOIN destination d ON d.id = coalesce(s.destination_id,
            (SELECT min(m.id) FROM destination m WHERE m.mx_group_id = s.mx_group_id AND m.level <> 'none'))
        WHERE s.next_due <= $0 AND d.level <> 'none' AND (s.destination_id IS NULL OR d.mx_group_id IS NULL)
        ORDER BY s.next_due LIMIT $1
        """,
        2);

    private readonly Statement unprobed = new(
        connection,
        """
        SELECT d.id, d.key, NULL FROM destination d
        WHERE d.id > $0 AND d.level <> 'none' AND CASE WHEN d.mx_group_id IS NULL
            THEN NOT EXISTS (SELECT 1 FROM probe_state s WHERE s.destination_id = d.id)
            ELSE NOT EXISTS (SELECT 1 FROM probe_state s WHERE s.mx_group_id = d.mx_group_id)
                AND d.id = (SELECT min(m.id) FROM destination m WHERE m.mx_group_id = d.mx_group_id AND m.level <> 'none')
            END
        ORDER BY d.id LIMIT $1
        """,
        2);

    private readonly Statement listedAs = new(
        connection,
        """
        SELECT d.key FROM destination m
        JOIN destination d ON d.id = (SELECT min(o.id) FROM destination o WHERE o.mx_group_id = m.mx_group_id AND o.level <> 'none')
        WHERE m.key = $0 AND m.level <> 'none'
        """,
        1);

    private readonly Statement watched = new(
        connection,
        """
        SELECT (SELECT count(*) FROM destination WHERE mx_group_id IS NULL AND level <> 'none')
            + (SELECT count(DISTINCT mx_group_id) FROM destination WHERE mx_group_id IS NOT NULL AND level <> 'none')
        """,
        0);

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

    internal NextHop? ListedAs(NextHop key) =>
        listedAs.Scalar(key.Text) is string listed && NextHop.TryParse(listed, out var parsed, out _) ? parsed : null;

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
        foreach (var statement in (Statement[])[all, due, unprobed, listedAs, watched, known, waiting, lastId, from])
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
