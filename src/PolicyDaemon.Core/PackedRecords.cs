using System.Buffers;
using System.Text;

namespace PolicyDaemon.Core;

/// <summary>Many small records as octets in large pieces: a million rows of a table are no objects, and take a tenth of the memory.</summary>
/// <remarks>
/// A record is what is written until <see cref="End"/>, whose result is its address. It is read back in the order in which it was
/// written; what it consists of, only its owner knows. Nothing is ever removed.
/// <code>
/// record   its length, its values
/// number   7 bits an octet, the lowest first, the highest bit set but in the last octet
/// text     its length in octets of UTF-8 plus 1, the octets; a single 0 for null
/// </code>
/// </remarks>
public sealed class PackedRecords
{
    private const int PieceOctets = 1 << 20;
    private const int MaxNumberOctets = 10;

    private readonly List<byte[]> pieces = [];
    private readonly ArrayBufferWriter<byte> record = new(512);
    private int used = PieceOctets;

    public int Count { get; private set; }

    /// <summary>Writes a number of the record that is being made.</summary>
    /// <param name="number">Taken as 64 bits without a sign: small ones take the least room.</param>
    public void Write(long number)
    {
        Span<byte> octets = stackalloc byte[MaxNumberOctets];
        record.Write(octets[..Encode((ulong)number, octets)]);
    }

    /// <summary>Writes a text of the record that is being made.</summary>
    public void Write(string? text)
    {
        if (text is null)
        {
            Write(0);
            return;
        }

        var length = Encoding.UTF8.GetByteCount(text);
        Write(length + 1L);
        Encoding.UTF8.GetBytes(text, record.GetSpan(length));
        record.Advance(length);
    }

    /// <summary>Ends the record that is being made.</summary>
    /// <returns>Where <see cref="Read"/> finds it.</returns>
    public long End()
    {
        Span<byte> length = stackalloc byte[MaxNumberOctets];
        length = length[..Encode((ulong)record.WrittenCount, length)];
        var needed = length.Length + record.WrittenCount;
        if (pieces.Count == 0 || needed > pieces[^1].Length - used)
        {
            pieces.Add(new byte[Math.Max(PieceOctets, needed)]);
            used = 0;
        }

        length.CopyTo(pieces[^1].AsSpan(used));
        record.WrittenSpan.CopyTo(pieces[^1].AsSpan(used + length.Length));
        var address = ((long)(pieces.Count - 1) << 32) | (uint)used;
        used += needed;
        Count++;
        record.ResetWrittenCount();
        return address;
    }

    public PackedReader Read(long address)
    {
        var reader = new PackedReader(pieces[(int)(address >> 32)].AsSpan((int)(uint)address));
        return new PackedReader(reader.Rest((int)reader.Number()));
    }

    /// <summary>The addresses of all records, in the order in which they were ended.</summary>
    public IEnumerable<long> Addresses()
    {
        for (var piece = 0; piece < pieces.Count; piece++)
        {
            var end = piece < pieces.Count - 1 ? pieces[piece].Length : used;
            for (var at = 0; at < end && pieces[piece][at] != 0;)
            {
                yield return ((long)piece << 32) | (uint)at;
                at += Occupied(pieces[piece].AsSpan(at));
            }
        }
    }

    private static int Occupied(ReadOnlySpan<byte> octets)
    {
        var reader = new PackedReader(octets);
        var length = (int)reader.Number();
        return reader.Position + length;
    }

    private static int Encode(ulong number, Span<byte> octets)
    {
        var count = 0;
        for (; number >= 0x80; number >>= 7)
            octets[count++] = (byte)(number | 0x80);
        octets[count++] = (byte)number;
        return count;
    }
}

/// <summary>Reads the values of one of <see cref="PackedRecords"/>.</summary>
public ref struct PackedReader
{
    private readonly ReadOnlySpan<byte> octets;

    internal PackedReader(ReadOnlySpan<byte> octets) => this.octets = octets;

    internal int Position { get; private set; }

    public long Number()
    {
        if (octets[Position] < 0x80)
            return octets[Position++];
        ulong number = 0;
        for (var shift = 0; ; shift += 7)
        {
            var octet = octets[Position++];
            number |= (ulong)(octet & 0x7f) << shift;
            if (octet < 0x80)
                return (long)number;
        }
    }

    public string? Text()
    {
        var length = (int)Number();
        return length == 0 ? null : Encoding.UTF8.GetString(Rest(length - 1));
    }

    /// <summary>The octets of a text that is not null.</summary>
    public ReadOnlySpan<byte> Octets() => Rest((int)Number() - 1);

    internal ReadOnlySpan<byte> Rest(int length)
    {
        var start = Position;
        Position += length;
        return octets.Slice(start, length);
    }
}
