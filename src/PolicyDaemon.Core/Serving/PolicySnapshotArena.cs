using System.Buffers.Binary;
using System.Text;

namespace PolicyDaemon.Core.Serving;

/// <summary>The octets of a table in the making: records and texts, in a few large arrays. What lies there already is never changed.</summary>
/// <remarks>Many entries have the same text, which is then kept once.</remarks>
internal sealed class PolicySnapshotArena
{
    private const int FirstChunkOctets = 1024;
    private const int TextCacheAfter = 32;
    private const int TextCacheSize = 1 << 16;

    private readonly PolicySnapshotHash hash;
    private readonly List<byte[]> chunks;
    private byte[] chunk = [];
    private int used;
    private int texts;

    // Positions of texts by their hash, the last one wins: it finds the texts that many entries share without remembering all.
    // The other half of the hash stands beside the position, so that an other text need not be fetched from memory to be told apart.
    private ulong[]? textCache;

    /// <param name="hash">Of the snapshot.</param>
    /// <param name="start">The arrays of an older table, which are shared with it.</param>
    public PolicySnapshotArena(PolicySnapshotHash hash, ReadOnlySpan<byte[]> start)
    {
        this.hash = hash;
        chunks = [.. start];
    }

    /// <summary>The length in the arena of so many octets.</summary>
    public static int Padded(int length) => (length + PolicySnapshotTable.UnitOctets - 1) & -PolicySnapshotTable.UnitOctets;

    /// <summary>Keeps a text, or finds an equal one.</summary>
    /// <returns>Its position; 0 for an empty text.</returns>
    public uint StoreText(string text)
    {
        if (text.Length == 0)
            return 0;
        var position = AllocateText(text.Length, out var octets, out var destination);
        Encoding.ASCII.GetBytes(text, destination);
        return Shared(position, octets);
    }

    /// <inheritdoc cref="StoreText(string)"/>
    public uint StoreText(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
            return 0;
        var position = AllocateText(text.Length, out var octets, out var destination);
        text.CopyTo(destination);
        return Shared(position, octets);
    }

    /// <summary>Makes room for so many octets, which the caller writes.</summary>
    /// <returns>Their position.</returns>
    public uint Allocate(int length, out Span<byte> octets)
    {
        var padded = Padded(length);
        if (chunk.Length - used < padded)
        {
            CloseChunk();
            if (chunks.Count == PolicySnapshotTable.MaxChunks)
                throw new InvalidOperationException("the policies do not fit into a snapshot: more than 8 GiB");
            var doubled = Math.Clamp(chunks.Count == 0 ? 0 : chunks[^1].Length * 2, FirstChunkOctets, PolicySnapshotTable.MaxChunkOctets);
            chunk = new byte[Math.Max(doubled, padded + PolicySnapshotTable.UnitOctets)];
            // Position 0 means "nothing".
            used = PolicySnapshotTable.UnitOctets;
        }

        octets = chunk.AsSpan(used, length);
        var position = ((uint)chunks.Count << PolicySnapshotTable.OffsetBits) | (uint)(used / PolicySnapshotTable.UnitOctets);
        used += padded;
        return position;
    }

    /// <summary>The octets of a text, its length included.</summary>
    public int TextLength(uint position)
    {
        if (position == 0)
            return 0;
        var text = PolicySnapshotTable.TextAt(At(position));
        return PolicySnapshotTable.LengthOctets(text.Length) + text.Length;
    }

    /// <summary>The arrays of a table that holds what was stored; nothing is stored afterwards.</summary>
    public byte[][] ToChunks()
    {
        CloseChunk();
        return [.. chunks];
    }

    /// <summary>The octets from a position on, to the end of their array.</summary>
    public ReadOnlySpan<byte> At(uint position)
    {
        var number = (int)(position >> PolicySnapshotTable.OffsetBits);
        var octets = number == chunks.Count ? chunk : chunks[number];
        return octets.AsSpan((int)(position & ((1u << PolicySnapshotTable.OffsetBits) - 1)) * PolicySnapshotTable.UnitOctets);
    }

    private uint AllocateText(int length, out Span<byte> octets, out Span<byte> text)
    {
        var before = PolicySnapshotTable.LengthOctets(length);
        var position = Allocate(before + length, out octets);
        text = octets[before..];
        if (before == 1)
        {
            octets[0] = (byte)length;
        }
        else
        {
            octets[0] = PolicySnapshotTable.LongText;
            BinaryPrimitives.WriteInt32LittleEndian(octets[1..], length);
        }

        return position;
    }

    /// <summary>The position of an equal text from before, in whose favour the one just written is taken back.</summary>
    private uint Shared(uint position, ReadOnlySpan<byte> lengthAndText)
    {
        // A small table would not be worth the cache.
        if (++texts <= TextCacheAfter)
            return position;
        textCache ??= new ulong[TextCacheSize];
        var textHash = hash.Compute(lengthAndText);
        ref var cached = ref textCache[(int)(textHash % TextCacheSize)];
        if (cached != 0 && cached >> 32 == textHash >> 32 && At((uint)cached).StartsWith(lengthAndText))
        {
            used -= Padded(lengthAndText.Length);
            return (uint)cached;
        }

        cached = (textHash & 0xffffffff_00000000) | position;
        return position;
    }

    private void CloseChunk()
    {
        // A copy of nearly all of it would be as much work as filling it was, and as much garbage.
        if (used > 0)
            chunks.Add(chunk.Length - used <= chunk.Length / 64 ? chunk : chunk[..used]);
        chunk = [];
        used = 0;
    }
}
