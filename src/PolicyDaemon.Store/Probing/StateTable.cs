using Microsoft.Data.Sqlite;

namespace PolicyDaemon.Store.Probing;

/// <summary>Reads what is remembered of destinations.</summary>
internal sealed class StateTable(SqliteConnection connection) : IDisposable
{
    private readonly Statement find = new(connection, "SELECT id FROM destination WHERE key = $0", 1);

    private readonly Statement state = new(
        connection,
        """
        SELECT last_look, next_due, verdict, verdict_since, last_outcome, last_detail, resolution, resolved_at, listed_at, secure_since, was_secure,
               trusted_hosts
        FROM probe_state WHERE destination_id = $0
        """,
        1);

    private readonly Statement listings = new(
        connection,
        """
        SELECT l.mx_host, l.probe_target_id, t.name, l.last_listed
        FROM probe_listing l JOIN probe_target t ON t.id = l.probe_target_id
        WHERE l.destination_id = $0 ORDER BY l.mx_host, t.name
        """,
        1);

    /// <returns>The destination's row; null where it is not configured.</returns>
    internal long? FindId(string key) => find.Scalar(key) as long?;

    internal ProbeStateRow? Read(long destination) => state.Query(ReadState, destination).FirstOrDefault();

    internal List<Listing> Listings(long destination) => listings.Query(
        row => new Listing(row.GetString(0), row.GetInt64(1), row.GetString(2), TargetTable.Long(row, 3)), destination);

    public void Dispose()
    {
        foreach (var statement in (Statement[])[find, state, listings])
            statement.Dispose();
    }

    private static ProbeStateRow ReadState(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetInt64(3), row.GetString(4), TargetTable.Text(row, 5), TargetTable.Text(row, 6),
        TargetTable.Long(row, 7), TargetTable.Long(row, 8), TargetTable.Long(row, 9), row.GetInt64(10) != 0, TargetTable.Text(row, 11));
}
