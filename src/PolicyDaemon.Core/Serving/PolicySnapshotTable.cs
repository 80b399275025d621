using System.Buffers.Binary;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>Records in a few large byte arrays with an open-addressing index over them, immutable.</summary>
/// <remarks>
/// <para>A million entries as objects cost 435 MiB and two seconds; as bytes a third of that, and the garbage collector has
/// a few dozen arrays to look at.</para>
/// <para>The index is ordered by the hash of the <em>bare host</em>, so that all forms of a host lie in one run: the search that
/// misses a key has met its other forms. A slot is the hash in the high half and a position in the low one; 0 is free. The
/// hash alone says where a slot belongs (hash times capacity over 2^32), so the index can grow without looking at a key.</para>
/// <para>A position is the number of a chunk (12 bits) and an offset in units of two octets (20 bits); 0 is nothing.</para>
/// </remarks>
internal sealed class PolicySnapshotTable
{
    public const int UnitOctets = 2;
    public const int OffsetBits = 20;
    public const int MaxChunks = 1 << (32 - OffsetBits);
    public const int MaxChunkOctets = UnitOctets << OffsetBits;

    /// <summary>In place of a text's length: it follows, in four octets.</summary>
    public const byte LongText = 255;

    public static readonly PolicySnapshotTable Empty = new([], new ulong[1], 0, 0);

    private readonly byte[][] chunks;
    private readonly ulong[] slots;

    /// <param name="deadOctets">Octets of records, and their texts, that no slot leads to any more.</param>
    public PolicySnapshotTable(byte[][] chunks, ulong[] slots, int count, long deadOctets)
    {
        this.chunks = chunks;
        this.slots = slots;
        Count = count;
        DeadOctets = deadOctets;
    }

    /// <summary>Records, those that say "removed" included.</summary>
    public int Count { get; }

    public long DeadOctets { get; }

    public long Octets => chunks.Sum(chunk => (long)chunk.Length);

    /// <summary>What the table occupies in memory, in octets.</summary>
    public long Footprint => Octets + (slots.Length * (long)sizeof(ulong));

    public ReadOnlySpan<byte[]> Chunks => chunks;

    public ReadOnlySpan<ulong> Slots => slots;

    public static uint HashOf(PolicySnapshotHash hash, ReadOnlySpan<byte> canonicalKey) => HashOfHost(hash, LookupKey.BareHost(canonicalKey));

    public static uint HashOfHost(PolicySnapshotHash hash, ReadOnlySpan<byte> bareHost) => (uint)(hash.Compute(bareHost) >> 32);

    public static int Home(uint hash, int capacity) => (int)(((ulong)hash * (uint)capacity) >> 32);

    public bool TryFind(uint hash, scoped ReadOnlySpan<byte> key, out PolicySnapshotRecord record)
    {
        var met = false;
        return TryFind(hash, key, out record, ref met);
    }

    /// <param name="met">Becomes true where a key with the same hash was met: perhaps another form of the same host.</param>
    public bool TryFind(uint hash, scoped ReadOnlySpan<byte> key, out PolicySnapshotRecord record, scoped ref bool met)
    {
        var slots = this.slots;
        for (var at = Home(hash, slots.Length); slots[at] != 0; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            if ((uint)(slots[at] >> 32) != hash)
                continue;
            record = Record((uint)slots[at]);
            if (record.Key.SequenceEqual(key))
                return true;
            met = true;
        }

        record = default;
        return false;
    }

    /// <returns>The position of the key's record; 0 where there is none.</returns>
    public uint Find(uint hash, ReadOnlySpan<byte> key)
    {
        for (var at = Home(hash, slots.Length); slots[at] != 0; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            if ((uint)(slots[at] >> 32) == hash && Record((uint)slots[at]).Key.SequenceEqual(key))
                return (uint)slots[at];
        }

        return 0;
    }

    /// <summary>True where the entry has ended, and the key is as one without an entry.</summary>
    public static bool IsOver(in PolicySnapshotRecord record, TimeProvider time) => record.HasEnd && record.Then == 0 && HasEnded(record, time);

    /// <summary>Whether there is a record for this host, in any form, that is not over and that another table does not hide.</summary>
    /// <param name="time">Asked where an entry has an end, and only there.</param>
    /// <param name="hiding">The overlay, whose records hide those here; null when there is none.</param>
    public bool HasHost(uint hash, scoped ReadOnlySpan<byte> bareHost, TimeProvider time, PolicySnapshotTable? hiding)
    {
        var slots = this.slots;
        for (var at = Home(hash, slots.Length); slots[at] != 0; at = at + 1 == slots.Length ? 0 : at + 1)
        {
            if ((uint)(slots[at] >> 32) != hash)
                continue;
            var record = Record((uint)slots[at]);
            if (!record.IsRemoved && LookupKey.BareHost(record.Key).SequenceEqual(bareHost) && !IsOver(record, time)
                && (hiding is null || !hiding.TryFind(hash, record.Key, out _)))
                return true;
        }

        return false;
    }

    public PolicySnapshotRecord Record(uint position) =>
        new(chunks[position >> OffsetBits].AsSpan((int)(position & ((1u << OffsetBits) - 1)) * UnitOctets));

    public ReadOnlySpan<byte> Text(uint position)
    {
        if (position == 0)
            return default;
        return TextAt(chunks[position >> OffsetBits].AsSpan((int)(position & ((1u << OffsetBits) - 1)) * UnitOctets));
    }

    /// <summary>How many octets the length of a text takes before it.</summary>
    public static int LengthOctets(int length) => length < LongText ? 1 : 5;

    /// <summary>The text that begins with its length here.</summary>
    public static ReadOnlySpan<byte> TextAt(ReadOnlySpan<byte> octets) =>
        octets[0] < LongText ? octets.Slice(1, octets[0]) : octets.Slice(5, BinaryPrimitives.ReadInt32LittleEndian(octets[1..]));

    /// <param name="record">The record of the key.</param>
    /// <param name="map">In which dialect.</param>
    /// <param name="time">Asked where the entry has an end, and only there.</param>
    public LookupReply Reply(PolicySnapshotRecord record, MapName map, TimeProvider time)
    {
        if (record.HasEnd && HasEnded(record, time))
        {
            if (record.Then == 0)
                return new(LookupAnswerKind.NotFound, default, role: EntryRole.Absent);
            record = Record(record.Then);
        }

        return new(record.Kind(map), Text(record.TextPosition(map)), record.IsPinned, record.Role, record.Floor, record.Protection);
    }

    private static bool HasEnded(in PolicySnapshotRecord record, TimeProvider time) =>
        record.HasLapsed || time.GetUtcNow().ToUnixTimeSeconds() >= record.ValidUntil;
}
