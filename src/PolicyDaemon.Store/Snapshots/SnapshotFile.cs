using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using PolicyDaemon.Core.Answers;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>The last good snapshot on disk, served after a restart whose store is missing or damaged.</summary>
/// <remarks>
/// <code>
/// "PDSNAP" 0x00 0x01          magic and version of the format
/// store id, sequence, hash    the identity: which state of which store
/// digest, major, minor        for which Postfix the answers were written
/// count                       then so many entries:
///   key, kind, text, same     same = 1: the answer on tlspolicy-tlsrpt is the same; 0: its kind and text follow
/// SHA-256 of all before       32 octets
/// </code>
/// Numbers are little-endian (counts and lengths 4 octets, the sequence 8, kinds and flags 1); texts are a length and UTF-8.
/// The file is written under another name, flushed and renamed, so it is always whole; what fails its checksum is not used.
/// </remarks>
public static class SnapshotFile
{
    private const int MaxText = AnswerLimits.SocketmapPayload;
    private const int MaxEntries = 50_000_000;

    private static ReadOnlySpan<byte> Magic => "PDSNAP\0\u0001"u8;

    /// <summary>Reads and checks a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="snapshot">Its content.</param>
    /// <param name="reason">Why it cannot be used; null where there is no file.</param>
    public static bool TryRead(string path, [NotNullWhen(true)] out PolicySnapshot? snapshot, out string? reason)
    {
        snapshot = null;
        reason = null;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            snapshot = Read(new Reader(file, hash));
            Span<byte> expected = stackalloc byte[SHA256.HashSizeInBytes];
            Span<byte> stored = stackalloc byte[SHA256.HashSizeInBytes];
            hash.GetHashAndReset(expected);
            file.ReadExactly(stored);
            if (stored.SequenceEqual(expected) && file.ReadByte() < 0)
                return true;
            reason = "its checksum does not fit its content";
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
        {
            reason = error.Message;
        }

        snapshot = null;
        return false;
    }

    /// <summary>Writes a snapshot in place of the file, durably. Throws what the file system throws.</summary>
    public static void Write(string path, PolicySnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var draft = path + ".new";
        try
        {
            File.Delete(draft);
            using (var file = new FileStream(draft, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 1 << 16,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
            }))
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                Write(new Writer(file, hash), snapshot);
                file.Write(hash.GetHashAndReset());
                file.Flush(flushToDisk: true);
            }

            // The umask may have taken the group's right away.
            File.SetUnixFileMode(draft, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
            File.Move(draft, path, overwrite: true);
            DurableFile.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch
        {
            // A full disk gets its space back. What cannot be deleted now is deleted by the next attempt.
            if (File.Exists(draft))
                File.Delete(draft);
            throw;
        }
    }

    private static void Write(Writer writer, PolicySnapshot snapshot)
    {
        var identity = snapshot.Identity;
        writer.Bytes(Magic);
        writer.Text(identity.StoreId);
        writer.Long(identity.Sequence);
        writer.Text(identity.Hash);
        writer.Text(identity.Digest.Name());
        writer.Int(identity.Version.Major);
        writer.Int(identity.Version.Minor);
        writer.Int(snapshot.Count);
        foreach (var entry in snapshot.Entries)
        {
            writer.Text(entry.Key);
            writer.Answer(entry.Answer);
            var same = entry.TlsRptAnswer == entry.Answer;
            writer.Byte(same ? (byte)1 : (byte)0);
            if (!same)
                writer.Answer(entry.TlsRptAnswer);
        }
    }

    private static PolicySnapshot Read(Reader reader)
    {
        if (!reader.Bytes(Magic.Length).SequenceEqual(Magic))
            throw new InvalidDataException("it is not a snapshot that this version can read");
        var storeId = reader.Text();
        var sequence = reader.Long();
        var hash = reader.Text();
        var digestName = reader.Text();
        if (!DigestAlgorithms.TryParse(digestName, out var digest))
            throw new InvalidDataException($"it names the digest '{digestName}'");
        var identity = new SnapshotIdentity(storeId, sequence, hash, digest, new PostfixVersion(reader.Int(), reader.Int()));
        var count = reader.Int();
        if (count is < 0 or > MaxEntries)
            throw new InvalidDataException($"it claims {count} entries");
        return PolicySnapshot.Build(identity, Entries(reader, count));
    }

    private static IEnumerable<SnapshotEntry> Entries(Reader reader, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var key = reader.Text();
            var answer = reader.Answer();
            yield return new SnapshotEntry(key, answer, reader.Byte() == 1 ? answer : reader.Answer());
        }
    }

    private sealed class Writer(Stream file, IncrementalHash hash)
    {
        private byte[] buffer = new byte[256];

        internal void Bytes(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            file.Write(bytes);
        }

        internal void Byte(byte value) => Bytes([value]);

        internal void Int(int value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            Bytes(bytes);
        }

        internal void Long(long value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            Bytes(bytes);
        }

        internal void Text(string text)
        {
            var length = Encoding.UTF8.GetByteCount(text);
            if (buffer.Length < length)
                buffer = new byte[length];
            Encoding.UTF8.GetBytes(text, buffer);
            Int(length);
            Bytes(buffer.AsSpan(0, length));
        }

        internal void Answer(LookupAnswer answer)
        {
            Byte((byte)answer.Kind);
            Text(answer.Text);
        }
    }

    private sealed class Reader(Stream file, IncrementalHash hash)
    {
        private byte[] buffer = new byte[256];

        internal ReadOnlySpan<byte> Bytes(int length)
        {
            if (length is < 0 or > MaxText)
                throw new InvalidDataException($"it claims a text of {length} octets");
            if (buffer.Length < length)
                buffer = new byte[length];
            var bytes = buffer.AsSpan(0, length);
            file.ReadExactly(bytes);
            hash.AppendData(bytes);
            return bytes;
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
    }
}
