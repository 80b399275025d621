using Microsoft.Data.Sqlite;

namespace PolicyDaemon.Store.Probing;

/// <summary>Reads what is remembered of owners of pins.</summary>
internal sealed class StateTable(SqliteConnection connection) : IDisposable
{
    private const string Columns =
        "id, last_look, next_due, verdict, verdict_since, last_outcome, last_detail, resolution, resolved_at, listed_at, secure_since, was_secure, trusted_hosts, new_key_seen";

    private readonly Statement owner = new(
        connection,
        "SELECT d.id, d.mx_group_id, coalesce(g.name, d.key) FROM destination d LEFT JOIN mx_group g ON g.id = d.mx_group_id WHERE d.key = $0",
        1);

    private readonly Statement ofDestination = new(connection, $"SELECT {Columns} FROM probe_state WHERE destination_id = $0", 1);

    private readonly Statement ofGroup = new(connection, $"SELECT {Columns} FROM probe_state WHERE mx_group_id = $0", 1);

    private readonly Statement listings = new(
        connection,
        """
        SELECT l.mx_host, l.probe_target_id, t.name, l.last_listed
        FROM probe_listing l JOIN probe_target t ON t.id = l.probe_target_id
        WHERE l.probe_state_id = $0 ORDER BY l.mx_host, t.name
        """,
        1);

    private readonly Statement modes = new(connection, "SELECT DISTINCT mode FROM destination WHERE mx_group_id = $0", 1);

    private readonly Statement members = new(connection, "SELECT count(*) FROM destination WHERE mx_group_id = $0", 1);

    /// <returns>Null where the destination is not configured.</returns>
    internal PinOwner? FindOwner(string key) =>
        owner.Query(row => new PinOwner(row.GetInt64(0), TargetTable.Long(row, 1), row.GetString(2)), key).FirstOrDefault();

    internal ProbeStateRow? Read(PinOwner whose) => (whose.GroupId is { } group
        ? ofGroup.Query(ReadState, group)
        : ofDestination.Query(ReadState, whose.DestinationId)).FirstOrDefault();

    internal List<Listing> Listings(long state) => listings.Query(
        row => new Listing(row.GetString(0), row.GetInt64(1), row.GetString(2), TargetTable.Long(row, 3)), state);

    /// <summary>The modes of a group's members, each once.</summary>
    internal List<string> Modes(long group) => modes.Query(row => row.GetString(0), group);

    /// <summary>How many destinations share these pins.</summary>
    internal int Affects(PinOwner whose) => whose.GroupId is { } group ? (int)(long)members.Scalar(group)! : 1;

    public void Dispose()
    {
        foreach (var statement in (Statement[])[owner, ofDestination, ofGroup, listings, modes, members])
            statement.Dispose();
    }

    private static ProbeStateRow ReadState(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetString(3), row.GetInt64(4), row.GetString(5), TargetTable.Text(row, 6),
        TargetTable.Text(row, 7), TargetTable.Long(row, 8), TargetTable.Long(row, 9), TargetTable.Long(row, 10), row.GetInt64(11) != 0,
        TargetTable.Text(row, 12), TargetTable.Long(row, 13));
}
