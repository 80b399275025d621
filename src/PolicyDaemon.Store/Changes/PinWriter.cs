using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Store;

/// <summary>Writes the pins of destinations, inside the caller's transaction.</summary>
internal sealed class PinWriter(SqliteConnection connection) : IDisposable
{
    private readonly Statement insert = new(
        connection,
        "INSERT INTO pin (destination_id, position, fingerprint, subject, state, strength, since) VALUES ($0, $1, $2, $3, $4, $5, $6)",
        7);

    // What a probe keeps about a pin hangs on its row, so a pin that stays keeps its row.
    private readonly Statement update = new(
        connection,
        "UPDATE pin SET position = $2, subject = $3, state = $4, strength = $5, since = $6 WHERE destination_id = $0 AND fingerprint = $1",
        7);

    private readonly Statement remove = new(connection, "DELETE FROM pin WHERE destination_id = $0 AND fingerprint = $1", 2);

    /// <summary>Brings the rows from one state to the other, touching only what differs.</summary>
    internal void Write(long id, ImmutableArray<Pin> before, ImmutableArray<Pin> after)
    {
        var old = before.Select((pin, position) => (pin, position)).ToDictionary(item => item.pin.Fingerprint.Hex);
        for (var position = 0; position < after.Length; position++)
        {
            var pin = after[position];
            var known = old.Remove(pin.Fingerprint.Hex, out var kept);
            if (known && kept == (pin, position))
                continue;
            (known ? update : insert).Execute(known
                ? [id, pin.Fingerprint.Hex, position, pin.Subject.Name(), pin.State.Name(), pin.Strength.Name(), pin.Since.ToUnixTimeSeconds()]
                : [id, position, pin.Fingerprint.Hex, pin.Subject.Name(), pin.State.Name(), pin.Strength.Name(), pin.Since.ToUnixTimeSeconds()]);
        }

        foreach (var fingerprint in old.Keys)
            remove.Execute(id, fingerprint);
    }

    public void Dispose()
    {
        insert.Dispose();
        update.Dispose();
        remove.Dispose();
    }
}
