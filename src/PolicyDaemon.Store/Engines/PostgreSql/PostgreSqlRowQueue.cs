using Npgsql;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Rows that COPY writes: a statement for each would cost more than all else that a large import does.</summary>
internal sealed class PostgreSqlRowQueue(PostgreSqlConnection connection) : RowQueue
{
    private const int MostWaiting = 6000;

    // Numbers that are fetched at once; those that are left over at the end are not used.
    private const int IdsAtOnce = 2000;

    private readonly List<(string Table, IReadOnlyList<string> Columns, List<object?[]> Rows)> tables = [];
    private readonly Dictionary<string, Queue<long>> ids = new(StringComparer.Ordinal);
    private int waiting;

    internal override long NextId(string table)
    {
        if (!ids.TryGetValue(table, out var left))
            ids[table] = left = new Queue<long>(IdsAtOnce);
        if (left.Count == 0)
            connection.ReadNumbers($"SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, {IdsAtOnce})", left);
        return left.Dequeue();
    }

    internal override void Add(string table, IReadOnlyList<string> columns, object?[] values)
    {
        foreach (var value in values)
            StoredText.RefuseNul(value);
        var at = tables.FindIndex(known => known.Table == table);
        if (at < 0)
        {
            at = tables.Count;
            tables.Add((table, columns, []));
        }

        tables[at].Rows.Add(values);
        if (++waiting >= MostWaiting)
            Flush();
    }

    /// <summary>Writes what waits, in the order in which the tables came: a row refers to rows of tables before its own.</summary>
    /// <exception cref="NpgsqlException">The server refuses a row.</exception>
    internal void Flush()
    {
        if (waiting == 0)
            return;
        waiting = 0;
        foreach (var (table, columns, rows) in tables)
        {
            if (rows.Count > 0)
                connection.CopyRows(table, columns, rows);
            rows.Clear();
        }
    }

    /// <summary>Drops what waits: the transaction is taken back.</summary>
    internal void Drop()
    {
        waiting = 0;
        foreach (var table in tables)
            table.Rows.Clear();
    }
}
