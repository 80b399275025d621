using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Documents;
using SQLitePCL;

namespace PolicyDaemon.Store;

/// <summary>Writes destinations with their pins.</summary>
internal sealed class DestinationWriter(SqliteConnection connection) : IDisposable
{
    private const string Columns =
        "key, host, level, match_names, ciphers, protocols, exclude, servername, tafile, connection_reuse, enable_rpk, tlsrpt, mode, observe, probe_as, note";

    private readonly Statement insert = new(
        connection, $"INSERT INTO destination ({Columns}) VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)", 16);

    private readonly Statement update = new(
        connection,
        $"UPDATE destination SET ({Columns}) = ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) WHERE id = $16",
        17);

    private readonly Statement remove = new(connection, "DELETE FROM destination WHERE id = $0", 1);

    private readonly Statement exists = new(connection, "SELECT id FROM destination WHERE key = $0", 1);

    private readonly PinWriter pins = new(connection);

    internal bool Exists(string key) => exists.Scalar(key) is not null;

    internal void Insert(Destination destination)
    {
        insert.Execute(Values(destination));
        pins.Write(raw.sqlite3_last_insert_rowid(connection.Handle), [], destination.Pins);
    }

    internal void Update(long id, Destination before, Destination after)
    {
        update.Execute([.. Values(after), id]);
        pins.Write(id, before.Pins, after.Pins);
    }

    internal void Remove(long id) => remove.Execute(id);

    public void Dispose()
    {
        foreach (var part in (IDisposable[])[insert, update, remove, exists, pins])
            part.Dispose();
    }

    private static object?[] Values(Destination destination)
    {
        var policy = destination.Policy;
        return
        [
            destination.Key.Text, DestinationTable.HostOf(destination.Key), policy.Level.Name(), DestinationMapping.WriteList(policy.Match),
            policy.Ciphers, policy.Protocols, policy.Exclude, policy.ServerName, DestinationMapping.WriteList(policy.TaFiles),
            Flag(policy.ConnectionReuse), Flag(policy.EnableRpk), DestinationMapping.WriteTlsRpt(policy.TlsRpt),
            destination.Mode.Name(), Flag(destination.Observe), DestinationMapping.WriteList(destination.ProbeAs), destination.Note,
        ];
    }

    private static long? Flag(bool? value) => value is { } known ? (known ? 1L : 0L) : null;
}
