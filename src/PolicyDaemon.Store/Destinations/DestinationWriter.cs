using System.Collections.Immutable;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Store.Destinations;

/// <summary>Writes destinations with their pins, inside the caller's transaction.</summary>
/// <param name="queue">Takes the rows of new destinations; null where each is written at once.</param>
internal sealed class DestinationWriter(DbConnection connection, RowQueue? queue = null)
{
    private static readonly string[] QueuedColumns =
        ["id", "key", "host", "level", "attributes", "mode", "observe", "floor", "valid_until", "former", "probe_as", "note"];

    private static readonly string[] QueuedPinColumns = ["destination_id", "position", "fingerprint", "subject", "state", "strength", "since"];

    internal void Insert(Destination destination)
    {
        var values = Values.Of(destination);
        if (queue is not null)
        {
            Insert(queue, values, destination.Pins);
            return;
        }

        connection.Execute(
            """
            INSERT INTO destination (key, host, level, attributes, mode, observe, floor, valid_until, former, probe_as, note)
            VALUES (@Key, @Host, @Level, @Attributes, @Mode, @Observe, @Floor, @ValidUntil, @Former, @ProbeAs, @Note)
            """,
            values);
        if (destination.Pins.IsEmpty)
            return;
        var id = connection.ExecuteScalar<long>("SELECT id FROM destination WHERE key = @Key", new { values.Key });
        WritePins(id, [], destination.Pins);
    }

    private static void Insert(RowQueue queue, Values values, ImmutableArray<Pin> pins)
    {
        var id = queue.NextId("destination");
        queue.Add(
            "destination", QueuedColumns,
            [
                id, values.Key, values.Host, values.Level, values.Attributes, values.Mode, values.Observe, values.Floor, values.ValidUntil, values.Former,
                values.ProbeAs, values.Note,
            ]);
        for (var position = 0; position < pins.Length; position++)
        {
            var pin = PinValues.Of(id, position, pins[position]);
            queue.Add("pin", QueuedPinColumns, [id, pin.Position, pin.Fingerprint, pin.Subject, pin.State, pin.Strength, pin.Since]);
        }
    }

    internal void Update(long id, Destination before, Destination after)
    {
        connection.Execute(
            """
            UPDATE destination SET key = @Key, host = @Host, level = @Level, attributes = @Attributes, mode = @Mode, observe = @Observe,
                   floor = @Floor, valid_until = @ValidUntil, former = @Former, probe_as = @ProbeAs, note = @Note
            WHERE id = @Id
            """,
            Values.Of(after) with { Id = id });
        WritePins(id, before.Pins, after.Pins);
    }

    /// <summary>Removes what probes left of a destination, and which addresses are probed for it; as removing the destination does.</summary>
    internal void ForgetProbes(long id) => connection.Execute("DELETE FROM probe_state WHERE destination_id = @id", new { id });

    /// <summary>Forgets that the MX records were ever DNSSEC-secure; a probe that finds them so knows it again.</summary>
    internal void ForgetSigned(long id) => connection.Execute("UPDATE probe_state SET was_secure = 0 WHERE destination_id = @id", new { id });

    internal void Remove(long id) => connection.Execute("DELETE FROM destination WHERE id = @id", new { id });

    /// <summary>Brings the rows of the pins from one state to the other. Other tables refer to the row of a pin, so a pin that stays keeps its
    /// row.</summary>
    private void WritePins(long id, ImmutableArray<Pin> before, ImmutableArray<Pin> after)
    {
        var old = before.Select((pin, position) => (pin, position)).ToDictionary(item => item.pin.Fingerprint.Hex);
        for (var position = 0; position < after.Length; position++)
        {
            var pin = after[position];
            var isKnown = old.Remove(pin.Fingerprint.Hex, out var kept);
            if (isKnown && kept == (pin, position))
                continue;
            var values = PinValues.Of(id, position, pin);
            if (isKnown)
            {
                connection.Execute(
                    """
                    UPDATE pin SET position = @Position, subject = @Subject, state = @State, strength = @Strength, since = @Since
                    WHERE destination_id = @Destination AND fingerprint = @Fingerprint
                    """,
                    values);
            }
            else
            {
                connection.Execute(
                    """
                    INSERT INTO pin (destination_id, position, fingerprint, subject, state, strength, since)
                    VALUES (@Destination, @Position, @Fingerprint, @Subject, @State, @Strength, @Since)
                    """,
                    values);
            }
        }

        foreach (var fingerprint in old.Keys)
            connection.Execute("DELETE FROM pin WHERE destination_id = @id AND fingerprint = @fingerprint", new { id, fingerprint });
    }

    internal sealed record Values(
        long Id, string Key, string Host, string Level, string? Attributes, string Mode, long Observe, string? Floor, long? ValidUntil,
        string? Former, string? ProbeAs, string? Note)
    {
        internal static Values Of(Destination destination) => new(
            0, destination.Key.Text, DestinationTable.HostOf(destination.Key), destination.Policy.Level.Name(),
            PolicyDocument.ToJson(destination.Policy), destination.Mode.Name(), destination.Observe ? 1 : 0,
            destination.Floor == DiscoveryFloor.None ? null : destination.Floor.Name(), destination.Until?.Seconds(),
            DestinationDocument.FormerToJson(destination.Former),
            destination.ProbeAs.IsEmpty ? null : JsonSerializer.Serialize([.. destination.ProbeAs], StoreJson.Default.StringArray), destination.Note);
    }

    internal sealed record PinValues(
        long Destination, long Position, string Fingerprint, string Subject, string State, string? Strength, long Since)
    {
        internal static PinValues Of(long id, int position, Pin pin) =>
            new(id, position, pin.Fingerprint.Hex, pin.Subject.Name(), pin.State.Name(), pin.Strength?.Name(), pin.Since.Seconds());
    }
}
