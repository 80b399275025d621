using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Writes the values of a snapshot file block by block, and hashes them on the way.</summary>
internal sealed class SnapshotFileWriter(Stream file)
{
    private readonly XxHash128 hash = new();
    private byte[] buffer = new byte[1 << 16];
    private int used;

    internal void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Room(bytes.Length));

    internal void Byte(byte value) => Room(1)[0] = value;

    internal void Int(int value) => BinaryPrimitives.WriteInt32LittleEndian(Room(4), value);

    internal void Long(long value) => BinaryPrimitives.WriteInt64LittleEndian(Room(8), value);

    internal void Text(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        Int(length);
        Encoding.UTF8.GetBytes(text, Room(length));
    }

    internal void Answer(LookupAnswer answer)
    {
        Byte((byte)answer.Kind);
        Text(answer.Text);
    }

    internal void Entry(SnapshotEntry entry)
    {
        Text(entry.Key);
        Answers(EntryAfter.Of(entry));
        if (entry.ValidUntil is not { } end)
        {
            Byte(0);
            return;
        }

        Byte((byte)((entry.HasLapsed ? SnapshotFile.HasLapsed : SnapshotFile.HasEnd) + (entry.Then is null ? 0 : SnapshotFile.AndThen)));
        Long(end.ToUnixTimeSeconds());
        if (entry.Then is { } then)
            Answers(then);
    }

    private void Answers(EntryAfter entry)
    {
        Answer(entry.Answer);
        var same = entry.TlsRptAnswer == entry.Answer;
        Byte((byte)((same ? SnapshotFile.SameFlag : 0) | (entry.IsPinned ? SnapshotFile.PinnedFlag : 0) | (entry.IsDefault ? SnapshotFile.DefaultFlag : 0)
            | (entry.Floor is { } floor ? SnapshotFile.DiscoversFlag | ((int)floor << SnapshotFile.FloorShift) : 0)));
        if (!same)
            Answer(entry.TlsRptAnswer);
    }

    /// <summary>Writes the checksum of all values so far, the last thing in the file.</summary>
    internal void Checksum()
    {
        WriteBlock();
        file.Write(hash.GetCurrentHash());
    }

    private Span<byte> Room(int length)
    {
        if (buffer.Length - used < length)
        {
            WriteBlock();
            if (buffer.Length < length)
                buffer = new byte[length];
        }

        used += length;
        return buffer.AsSpan(used - length, length);
    }

    private void WriteBlock()
    {
        hash.Append(buffer.AsSpan(0, used));
        file.Write(buffer, 0, used);
        used = 0;
    }
}
