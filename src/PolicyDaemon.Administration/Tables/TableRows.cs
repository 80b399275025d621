using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;

namespace PolicyDaemon.Administration.Tables;

/// <summary>A row of a table.</summary>
/// <param name="Line">The number of the line.</param>
/// <param name="Destination">The entry that the row describes.</param>
/// <param name="Evidence">The evidence of its pins, as JSON for the audit log; null where the table alone vouches for them.</param>
public sealed record TableRow(int Line, Destination Destination, string? Evidence = null);

/// <summary>The rows of a table, each kept as some hundred octets and made again when it is asked for.</summary>
internal sealed class TableRows
{
    /// <summary>A larger table is taken over in the order of its keys.</summary>
    /// <remarks>Rows in no order would touch the pages of the store's indexes all over, which takes three times as long and a cache for
    /// all of them. Who wrote a small table by hand reads the report in the order of the table.</remarks>
    internal const int OrderedAbove = 10_000;

    // How far ahead an end may lie was judged when the row was read, by the clock of then.
    private static readonly DateTimeOffset Late = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PackedRecords records = new();
    private readonly List<long> addresses = [];

    internal int Count => addresses.Count;

    internal TableRow this[int index]
    {
        get => Read(records.Read(addresses[index]));
        set => addresses[index] = Pack(value);
    }

    internal void Add(TableRow row) => addresses.Add(Pack(row));

    /// <summary>All rows in the order in which they are written to the store: of a small table that of the table, of a large one that of the keys.</summary>
    internal IEnumerable<TableRow> Ordered()
    {
        if (Count > OrderedAbove)
            Sort();
        return addresses.Select(address => Read(records.Read(address)));
    }

    /// <summary>Sorts the rows by their keys: by the first octets of each, which lie together in memory, and by whole keys only where these are the same.</summary>
    private void Sort()
    {
        var prefixes = addresses.Select(address => Prefix(Key(address))).ToArray();
        var sorted = CollectionsMarshal.AsSpan(addresses);
        prefixes.AsSpan().Sort(sorted);
        for (var start = 0; start < sorted.Length;)
        {
            var end = start + 1;
            while (end < sorted.Length && prefixes[end] == prefixes[start])
                end++;
            if (end > start + 1)
                sorted[start..end].Sort((left, right) => Key(left).SequenceCompareTo(Key(right)));
            start = end;
        }
    }

    private static UInt128 Prefix(ReadOnlySpan<byte> key)
    {
        Span<byte> octets = stackalloc byte[16];
        octets.Clear();
        key[..Math.Min(key.Length, octets.Length)].CopyTo(octets);
        return BinaryPrimitives.ReadUInt128BigEndian(octets);
    }

    private ReadOnlySpan<byte> Key(long address) => records.Read(address).Octets();

    private long Pack(TableRow row)
    {
        var destination = row.Destination;
        records.Write(destination.Key.Text);
        records.Write(row.Line);
        records.Write(row.Evidence);
        records.Write((int)destination.Policy.Level);
        for (var i = 0; i < EntryAttributes.All.Length; i++)
        {
            if (EntryAttributes.All[i].IsOfPins)
                continue;
            foreach (var value in EntryAttributes.All[i].Get(destination))
            {
                records.Write(i + 1);
                records.Write(value);
            }
        }

        records.Write(0);
        for (var i = 0; i < PolicyAttributes.All.Length; i++)
        {
            foreach (var value in PolicyAttributes.All[i].Get(destination.Policy))
            {
                records.Write(i + 1);
                records.Write(value);
            }
        }

        records.Write(0);
        records.Write(destination.Pins.Length);
        foreach (var pin in destination.Pins)
        {
            records.Write(pin.Fingerprint.Hex);
            records.Write((int)pin.Subject);
            records.Write((int)pin.State);
            records.Write(pin.Strength is { } strength ? (int)strength + 1 : 0);
            records.Write(pin.Since.ToUnixTimeSeconds());
        }

        return records.End();
    }

    private static PinStrength? Strength(long number) => number == 0 ? null : (PinStrength)(number - 1);

    private static TableRow Read(PackedReader packed)
    {
        var key = NextHop.Parse(packed.Text()!);
        var line = (int)packed.Number();
        var evidence = packed.Text();
        var policy = new TlsPolicy { Level = (TlsLevel)packed.Number() };
        var entry = new Destination { Key = key, Policy = policy };
        for (var row = (int)packed.Number(); row > 0; row = (int)packed.Number())
            entry = EntryAttributes.All[row - 1].Add(entry, packed.Text()!, Late).Entry ?? throw new InvalidOperationException($"{key}: an attribute cannot be read back");
        for (var row = (int)packed.Number(); row > 0; row = (int)packed.Number())
            policy = PolicyAttributes.All[row - 1].Add(policy, packed.Text()!);
        var pins = new Pin[packed.Number()];
        for (var i = 0; i < pins.Length; i++)
        {
            pins[i] = new Pin(
                FingerprintOf(packed.Text()!), (PinSubject)packed.Number(), (PinState)packed.Number(), Strength(packed.Number()),
                DateTimeOffset.FromUnixTimeSeconds(packed.Number()));
        }

        return new TableRow(
            line, entry with { Policy = policy, Pins = ImmutableArray.Create(pins) }, evidence);
    }

    private static Fingerprint FingerprintOf(string hex) =>
        Fingerprint.TryParse(hex, out var fingerprint, out var reason) ? fingerprint : throw new InvalidOperationException(reason);
}
