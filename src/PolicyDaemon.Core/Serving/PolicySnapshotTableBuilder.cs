using System.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>Makes a <see cref="PolicySnapshotTable"/>, from nothing or from an older one whose bytes it shares.</summary>
internal sealed class PolicySnapshotTableBuilder
{
    // Three quarters full, a miss looks at some eight slots, which are next to one another.
    private const int MaxLoadPercent = 75;

    // Places in a large index lie all over the memory: so many are read before the first is needed, so that the waits for them overlap.
    private const int AtOnce = 64;

    private readonly PolicySnapshotHash hash;
    private readonly PolicySnapshotArena arena;
    private ulong[] slots;
    private int count;
    private long dead;
    private ulong read;

    public PolicySnapshotTableBuilder(PolicySnapshotHash hash)
        : this(hash, PolicySnapshotTable.Empty)
    {
    }

    public PolicySnapshotTableBuilder(PolicySnapshotHash hash, PolicySnapshotTable start)
    {
        this.hash = hash;
        arena = new PolicySnapshotArena(hash, start.Chunks);
        slots = start.Slots.ToArray();
        count = start.Count;
        dead = start.DeadOctets;
    }

    public int Count => count;

    /// <summary>Makes room in the index for so many records.</summary>
    /// <remarks>
    /// Needed before records are added in another table's order: that is the order of the hash, and in an index that still is
    /// small all of them would crowd at its start, which made copying 900,000 rows take minutes.
    /// </remarks>
    public void Reserve(int records)
    {
        var capacity = (int)(records * 100L / MaxLoadPercent) + 16;
        if (capacity > slots.Length)
            Resize(capacity);
    }

    /// <param name="removed">The record only says that the key is gone.</param>
    public bool TryFind(ReadOnlySpan<byte> key, out bool removed)
    {
        var at = Find(PolicySnapshotTable.HashOf(hash, key), key);
        removed = at >= 0 && new PolicySnapshotRecord(arena.At((uint)slots[at])).IsRemoved;
        return at >= 0;
    }

    /// <summary>Adds entries, or replaces those with their keys.</summary>
    public void PutAll(IEnumerable<SnapshotEntry> entries)
    {
        Span<ulong> next = stackalloc ulong[AtOnce];
        var waiting = 0;
        foreach (var entry in entries)
        {
            next[waiting++] = Write(entry);
            if (waiting == AtOnce)
            {
                Put(next);
                waiting = 0;
            }
        }

        Put(next[..waiting]);
    }

    /// <summary>Adds an entry, or replaces the one with its key.</summary>
    public void Put(SnapshotEntry entry) => Put(Write(entry));

    private void Put(ReadOnlySpan<ulong> next)
    {
        foreach (var slot in next)
            read ^= slots[PolicySnapshotTable.Home((uint)(slot >> 32), slots.Length)];
        foreach (var slot in next)
            Put(slot);
    }

    /// <returns>The slot of its record, which is in no index yet.</returns>
    private ulong Write(SnapshotEntry entry)
    {
        Span<byte> octets = stackalloc byte[LookupKey.MaxCanonicalLength];
        var key = octets[..KeyOctets(entry.Key, octets)];
        var fields = Fields(entry);
        if (entry.ValidUntil is { } end)
        {
            fields = fields with
            {
                // Four octets last until 2106; before 1970 is over anyway.
                ValidUntil = (uint)Math.Clamp(end.ToUnixTimeSeconds(), 1, uint.MaxValue),
                Then = entry.Then is { } then ? Write(key, Fields(then.Of(entry.Key))) : 0,
                HasLapsed = entry.HasLapsed,
            };
        }

        return Slot(key, fields);
    }

    /// <summary>Notes that a key of the table below is gone.</summary>
    public void PutRemoved(ReadOnlySpan<byte> key) => Put(key, new PolicySnapshotFields(default, 0, default, 0, PolicySnapshotRecord.RemovedFlag));

    /// <summary>Copies a record of another table, with its texts.</summary>
    public void Copy(PolicySnapshotTable from, in PolicySnapshotRecord record)
    {
        var fields = Fields(from, record);
        if (record.HasEnd)
        {
            fields = fields with
            {
                ValidUntil = record.ValidUntil,
                Then = record.Then == 0 ? 0 : Write(record.Key, Fields(from, from.Record(record.Then))),
                HasLapsed = record.HasLapsed,
            };
        }

        Put(record.Key, fields);
    }

    /// <summary>Takes the record of a key out of the index.</summary>
    public void Remove(ReadOnlySpan<byte> key)
    {
        var at = Find(PolicySnapshotTable.HashOf(hash, key), key);
        if (at < 0)
            return;
        NoteDead((uint)slots[at]);
        // What follows in the run moves up, so that no search ends at the gap before it.
        for (var next = Next(at); slots[next] != 0; next = Next(next))
        {
            var home = PolicySnapshotTable.Home((uint)(slots[next] >> 32), slots.Length);
            if (Distance(home, next) < Distance(at, next))
                continue;
            slots[at] = slots[next];
            at = next;
        }

        slots[at] = 0;
        count--;
    }

    public PolicySnapshotTable ToTable()
    {
        // Room that a growing index left over is given back; a little more than the limit allows keeps the next changes cheap.
        if (slots.Length > 16 && count * 100L / slots.Length < 50)
            Resize((int)Math.Max(16, count * 100L / 70));
        return new PolicySnapshotTable(arena.ToChunks(), slots, count, dead);
    }

    public static int KeyOctets(string key, Span<byte> destination)
    {
        if (key.Length == 0 || key.Length > LookupKey.MaxCanonicalLength || !Ascii.IsValid(key))
            throw new ArgumentException($"'{key}' is not a canonical lookup key", nameof(key));
        return Encoding.ASCII.GetBytes(key, destination);
    }

    private void Put(ReadOnlySpan<byte> key, in PolicySnapshotFields fields) => Put(Slot(key, fields));

    private ulong Slot(ReadOnlySpan<byte> key, in PolicySnapshotFields fields) =>
        ((ulong)PolicySnapshotTable.HashOf(hash, key) << 32) | Write(key, fields);

    private void Put(ulong slot)
    {
        var at = Find((uint)(slot >> 32), new PolicySnapshotRecord(arena.At((uint)slot)).Key);
        if (at >= 0)
        {
            NoteDead((uint)slots[at]);
            slots[at] = slot;
            return;
        }

        // One slot at least stays free: a search ends there.
        if ((count + 1) * 100L > slots.Length * (long)MaxLoadPercent)
            Resize(Math.Max(16, slots.Length + (slots.Length / 2)));
        Insert(slots, slot);
        count++;
    }

    private uint Write(ReadOnlySpan<byte> key, in PolicySnapshotFields fields)
    {
        var position = arena.Allocate(PolicySnapshotRecord.LengthFor(key.Length, fields), out var octets);
        PolicySnapshotRecord.Write(octets, key, fields);
        return position;
    }

    private PolicySnapshotFields Fields(SnapshotEntry entry)
    {
        var plain = PolicySnapshotAnswers.Storable(entry.Answer);
        var same = entry.TlsRptAnswer == entry.Answer;
        var tlsRpt = same ? plain : PolicySnapshotAnswers.Storable(entry.TlsRptAnswer);
        var text = arena.StoreText(plain.Text);
        var flags = (entry.IsPinned ? PolicySnapshotRecord.PinnedFlag : 0) | (entry.IsDefault ? PolicySnapshotRecord.DefaultFlag : 0)
            | (entry.Floor is { } floor ? PolicySnapshotRecord.DiscoversFlag | ((int)floor << PolicySnapshotRecord.FloorShift)
                : entry.Key == NextHop.Default.Text ? (int)entry.Protection << PolicySnapshotRecord.ProtectionShift : 0);
        return new(plain.Kind, text, tlsRpt.Kind, same || tlsRpt.Text == plain.Text ? text : arena.StoreText(tlsRpt.Text), (byte)flags);
    }

    private PolicySnapshotFields Fields(PolicySnapshotTable from, in PolicySnapshotRecord record)
    {
        var plain = record.TextPosition(MapName.TlsPolicy);
        var tlsRpt = record.TextPosition(MapName.TlsPolicyTlsRpt);
        var text = arena.StoreText(from.Text(plain));
        return new(
            record.Kind(MapName.TlsPolicy), text, record.Kind(MapName.TlsPolicyTlsRpt), tlsRpt == plain ? text : arena.StoreText(from.Text(tlsRpt)), record.Flags);
    }

    private int Find(uint keyHash, ReadOnlySpan<byte> key)
    {
        for (var at = PolicySnapshotTable.Home(keyHash, slots.Length); slots[at] != 0; at = Next(at))
        {
            if ((uint)(slots[at] >> 32) == keyHash && new PolicySnapshotRecord(arena.At((uint)slots[at])).Key.SequenceEqual(key))
                return at;
        }

        return -1;
    }

    private void Resize(int capacity)
    {
        var larger = new ulong[capacity];
        foreach (var slot in slots)
        {
            if (slot != 0)
                Insert(larger, slot);
        }

        slots = larger;
    }

    private static void Insert(ulong[] slots, ulong slot)
    {
        var at = PolicySnapshotTable.Home((uint)(slot >> 32), slots.Length);
        while (slots[at] != 0)
            at = at + 1 == slots.Length ? 0 : at + 1;
        slots[at] = slot;
    }

    private int Next(int at) => at + 1 == slots.Length ? 0 : at + 1;

    private int Distance(int from, int to) => to >= from ? to - from : to - from + slots.Length;

    // A text may be shared, so this is the most that can be dead; a table is rewritten a little too early, never too late.
    private void NoteDead(uint position)
    {
        var record = new PolicySnapshotRecord(arena.At(position));
        var text = record.TextPosition(MapName.TlsPolicy);
        dead += PolicySnapshotArena.Padded(record.Length) + arena.TextLength(text);
        if (record.HasEnd && record.Then != 0)
            NoteDead(record.Then);
    }
}
