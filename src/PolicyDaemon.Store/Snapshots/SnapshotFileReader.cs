using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Reads the values of a snapshot file block by block, and hashes them on the way.</summary>
/// <remarks>A million entries are eight million values: read and hashed one by one they took as long as building the snapshot.</remarks>
internal sealed class SnapshotFileReader(Stream file)
{
    private const int HashLength = 16;
    private const int MaxText = AnswerLimits.SocketmapPayload;

    private readonly XxHash128 hash = new();
    private byte[] buffer = new byte[1 << 16];
    private int hashed;
    private int at;
    private int end;

    /// <summary>Reads the next octets of the file; the span is valid until the next call.</summary>
    /// <exception cref="InvalidDataException">No value of the format is so long.</exception>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    internal ReadOnlySpan<byte> Bytes(int length)
    {
        if (length is < 0 or > MaxText)
            throw new InvalidDataException($"it claims a text of {length} octets");
        if (end - at < length)
            Fill(length);
        at += length;
        return buffer.AsSpan(at - length, length);
    }

    internal byte Byte() => Bytes(1)[0];

    internal int Int() => BinaryPrimitives.ReadInt32LittleEndian(Bytes(4));

    internal long Long() => BinaryPrimitives.ReadInt64LittleEndian(Bytes(8));

    internal string Text() => Encoding.UTF8.GetString(Bytes(Int()));

    internal LookupAnswer Answer()
    {
        var kind = (LookupAnswerKind)Byte();
        return kind is LookupAnswerKind.Temporary or LookupAnswerKind.Found or LookupAnswerKind.NotFound
            ? new LookupAnswer(kind, Text())
            : throw new InvalidDataException($"it has an answer of kind {(int)kind}");
    }

    internal SnapshotEntry Entry()
    {
        var key = Text();
        var entry = Answers().Of(key);
        var end = Byte();
        if (end == 0)
            return entry;
        if (end > SnapshotFile.HasLapsed + SnapshotFile.AndThen)
            throw new InvalidDataException($"it has an end of kind {end}");
        var hasThen = end > SnapshotFile.AndThen;
        return entry with
        {
            HasLapsed = end - (hasThen ? SnapshotFile.AndThen : 0) == SnapshotFile.HasLapsed,
            ValidUntil = End(Long()),
            Then = hasThen ? Answers() : null,
        };
    }

    private EntryAfter Answers()
    {
        var answer = Answer();
        var flags = Byte();
        return new EntryAfter(
            answer, (flags & SnapshotFile.SameFlag) != 0 ? answer : Answer(), (flags & SnapshotFile.PinnedFlag) != 0, (flags & SnapshotFile.DefaultFlag) != 0,
            (flags & SnapshotFile.DiscoversFlag) == 0 ? null : (DiscoveryFloor)((flags >> SnapshotFile.FloorShift) & 3));
    }

    // Checked only with the whole file's checksum, which comes last.
    private static DateTimeOffset End(long seconds) =>
        DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, 0, DateTimeOffset.MaxValue.ToUnixTimeSeconds()));

    /// <summary>Reads how many items follow. Room is made for them before the checksum is verified, so the number is checked against the file's length.</summary>
    /// <param name="leastOctets">The octets of the smallest possible item.</param>
    /// <exception cref="InvalidDataException">The rest of the file is too short for the number.</exception>
    internal int Count(int leastOctets)
    {
        var count = Int();
        return count >= 0 && count <= file.Length / leastOctets ? count : throw new InvalidDataException($"it claims {count} entries");
    }

    /// <summary>True where the checksum of all values so far follows and ends the file.</summary>
    internal bool EndsWithChecksum()
    {
        Span<byte> expected = stackalloc byte[HashLength];
        Hash();
        hash.GetCurrentHash(expected);
        return Bytes(HashLength).SequenceEqual(expected) && at == end && file.ReadByte() < 0;
    }

    private void Hash()
    {
        hash.Append(buffer.AsSpan(hashed, at - hashed));
        hashed = at;
    }

    private void Fill(int length)
    {
        Hash();
        buffer.AsSpan(at, end - at).CopyTo(buffer);
        end -= at;
        at = hashed = 0;
        if (buffer.Length < length)
            Array.Resize(ref buffer, MaxText);
        end += file.ReadAtLeast(buffer.AsSpan(end), length - end);
    }
}
