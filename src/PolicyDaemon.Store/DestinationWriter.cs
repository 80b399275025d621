using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Documents;
using SQLitePCL;

namespace PolicyDaemon.Store;

/// <summary>Writes destinations with their own pins, and the pins of MX groups.</summary>
internal sealed class DestinationWriter(SqliteConnection connection) : IDisposable
{
    private const string Columns =
        "key, host, level, match_names, ciphers, protocols, exclude, servername, tafile, connection_reuse, enable_rpk, tlsrpt, mode, observe, probe_as, note, mx_group_id";

    private readonly Statement insert = new(
        connection, $"INSERT INTO destination ({Columns}) VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)", 17);

    private readonly Statement update = new(
        connection,
        $"UPDATE destination SET ({Columns}) = ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) WHERE id = $17",
        18);

    private readonly Statement remove = new(connection, "DELETE FROM destination WHERE id = $0", 1);

    private readonly Statement exists = new(connection, "SELECT id FROM destination WHERE key = $0", 1);

    private readonly Statement group = new(connection, "SELECT id FROM mx_group WHERE name = $0", 1);

    private readonly PinWriter ownPins = new(connection, "destination_id");
    private readonly PinWriter groupPins = new(connection, "mx_group_id");

    // What the prober remembers of a member is remembered of its group.
    private readonly Statement forget = new(connection, "DELETE FROM probe_state WHERE destination_id = $0", 1);

    internal bool Exists(string key) => exists.Scalar(key) is not null;

    internal void Insert(Destination destination)
    {
        insert.Execute(Values(destination));
        ownPins.Write(raw.sqlite3_last_insert_rowid(connection.Handle), [], OwnPins(destination));
    }

    internal void Update(long id, Destination before, Destination after)
    {
        update.Execute([.. Values(after), id]);
        ownPins.Write(id, OwnPins(before), OwnPins(after));
        if (before.MxGroup is null && after.MxGroup is not null)
            forget.Execute(id);
    }

    internal void WriteGroupPins(string name, ImmutableArray<Pin> before, ImmutableArray<Pin> after) =>
        groupPins.Write((long)group.Scalar(name)!, before, after);

    internal void Remove(long id) => remove.Execute(id);

    public void Dispose()
    {
        foreach (var part in (IDisposable[])[insert, update, remove, exists, group, ownPins, groupPins, forget])
            part.Dispose();
    }

    private static ImmutableArray<Pin> OwnPins(Destination destination) => destination.MxGroup is null ? destination.Pins : [];

    private object?[] Values(Destination destination)
    {
        var policy = destination.Policy;
        return
        [
            destination.Key.Text, DestinationTable.HostOf(destination.Key), policy.Level.Name(), DestinationMapping.WriteList(policy.Match),
            policy.Ciphers, policy.Protocols, policy.Exclude, policy.ServerName, DestinationMapping.WriteList(policy.TaFiles),
            Flag(policy.ConnectionReuse), Flag(policy.EnableRpk), DestinationMapping.WriteTlsRpt(policy.TlsRpt),
            destination.Mode.Name(), Flag(destination.Observe), DestinationMapping.WriteList(destination.ProbeAs), destination.Note,
            destination.MxGroup is null
                ? null
                : group.Scalar(destination.MxGroup) ?? throw new ArgumentException($"there is no MX group {destination.MxGroup}", nameof(destination)),
        ];
    }

    private static long? Flag(bool? value) => value is { } known ? (known ? 1L : 0L) : null;
}
