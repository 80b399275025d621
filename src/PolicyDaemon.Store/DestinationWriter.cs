using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Documents;
using SQLitePCL;

namespace PolicyDaemon.Store;

/// <summary>Writes destinations and their own pins; the pins of an MX group are not touched.</summary>
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

    private readonly Statement insertPin = new(
        connection,
        "INSERT INTO pin (destination_id, position, fingerprint, subject, state, strength, since) VALUES ($0, $1, $2, $3, $4, $5, $6)",
        7);

    // What a probe keeps about a pin hangs on its row, so a pin that stays keeps its row.
    private readonly Statement updatePin = new(
        connection,
        "UPDATE pin SET position = $2, subject = $3, state = $4, strength = $5, since = $6 WHERE destination_id = $0 AND fingerprint = $1",
        7);

    private readonly Statement removePin = new(connection, "DELETE FROM pin WHERE destination_id = $0 AND fingerprint = $1", 2);

    internal bool Exists(string key) => exists.Scalar(key) is not null;

    internal void Insert(Destination destination)
    {
        insert.Execute(Values(destination));
        WritePins(raw.sqlite3_last_insert_rowid(connection.Handle), [], OwnPins(destination));
    }

    internal void Update(long id, Destination before, Destination after)
    {
        update.Execute([.. Values(after), id]);
        WritePins(id, OwnPins(before), OwnPins(after));
    }

    internal void Remove(long id) => remove.Execute(id);

    public void Dispose()
    {
        foreach (var statement in (Statement[])[insert, update, remove, exists, group, insertPin, updatePin, removePin])
            statement.Dispose();
    }

    private static ImmutableArray<Pin> OwnPins(Destination destination) => destination.MxGroup is null ? destination.Pins : [];

    private void WritePins(long id, ImmutableArray<Pin> before, ImmutableArray<Pin> after)
    {
        var old = before.Select((pin, position) => (pin, position)).ToDictionary(item => item.pin.Fingerprint.Hex);
        for (var position = 0; position < after.Length; position++)
        {
            var pin = after[position];
            var known = old.Remove(pin.Fingerprint.Hex, out var kept);
            if (known && kept == (pin, position))
                continue;
            (known ? updatePin : insertPin).Execute(known
                ? [id, pin.Fingerprint.Hex, position, pin.Subject.Name(), pin.State.Name(), pin.Strength.Name(), pin.Since.ToUnixTimeSeconds()]
                : [id, position, pin.Fingerprint.Hex, pin.Subject.Name(), pin.State.Name(), pin.Strength.Name(), pin.Since.ToUnixTimeSeconds()]);
        }

        foreach (var fingerprint in old.Keys)
            removePin.Execute(id, fingerprint);
    }

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
