using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>The last good snapshot as a file, served after a restart whose store is missing or damaged; what changed since stands in the <see cref="SnapshotJournal"/>.</summary>
/// <remarks>
/// <code>
/// "PDSNAP" 0x00 0x04          magic and version of the format
/// store id, sequence, hash    the identity: which state of which store
/// digest, major, minor        for which Postfix the answers were written
/// count                       then so many entries:
///   key, answer               an answer: kind, text, flags; 1: that on tlspolicy-tlsrpt is the same, or else its kind and text follow;
///                             2: enforced with pins; 4: not found is the entry's own answer; 8: discovered, the floor in bits 4 and 5
///   end                       0: none, or 1, 2 where it was seen to have come, 3 and 4 the same where another answer holds then; with
///                             them the second in Unix time, 8 octets, and the other answer
/// XXH128 of all before        16 octets
/// </code>
/// Numbers are little-endian (counts and lengths 4 octets, the sequence 8, kinds and flags 1); texts are a length and UTF-8.
/// The file is written under another name, flushed and renamed, so it is always whole; what fails its checksum is not used.
/// The checksum is against what disks do, not against people, who could compute any: SHA-256 would load OpenSSL at every start.
/// </remarks>
public static class SnapshotFile
{
    /// <summary>The mode of the file: readable by administrators only, since it holds the whole policy.</summary>
    internal const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    internal const byte SameFlag = 1;
    internal const byte PinnedFlag = 2;
    internal const byte DefaultFlag = 4;
    internal const byte DiscoversFlag = 8;
    internal const int FloorShift = 4;
    internal const byte HasEnd = 1;
    internal const byte HasLapsed = 2;
    internal const byte AndThen = 2; // added to either
    internal const int MinEntry = 4 + 1 + 1 + 4 + 1 + 1; // a key of one octet, an answer without a text, no end

    private static ReadOnlySpan<byte> Magic => "PDSNAP\0\u0004"u8;

    /// <summary>Reads and checks a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="snapshot">Its content.</param>
    /// <param name="reason">Why it cannot be used; null where there is no file.</param>
    public static bool TryRead(string path, [NotNullWhen(true)] out PolicySnapshot? snapshot, out string? reason) =>
        TryRead(path, null, out snapshot, out reason);

    /// <param name="noted">Collects the entries that are <see cref="SnapshotEntry.IsNoted"/>, so that nobody has to walk through a large snapshot for them.</param>
    internal static bool TryRead(
        string path, ICollection<SnapshotEntry>? noted, [NotNullWhen(true)] out PolicySnapshot? snapshot, out string? reason)
    {
        snapshot = null;
        reason = null;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var reader = new SnapshotFileReader(file);
            snapshot = Read(reader, noted);
            if (reader.EndsWithChecksum())
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

    /// <summary>Reads of which store a file is, and nothing else.</summary>
    /// <returns>Null where it is no snapshot that can be read.</returns>
    public static string? TryReadStoreId(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var reader = new SnapshotFileReader(file);
            return reader.Bytes(Magic.Length).SequenceEqual(Magic) ? reader.Text() : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Writes a snapshot in place of the file, durably. Throws what the file system throws.</summary>
    public static void Write(string path, PolicySnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        // Where the disk is full, it gets its space back.
        using var draft = FileDraft.Create(path, Mode);
        var writer = new SnapshotFileWriter(draft.Stream);
        Write(writer, snapshot);
        writer.Checksum();
        draft.Replace();
    }

    private static void Write(SnapshotFileWriter writer, PolicySnapshot snapshot)
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
            writer.Entry(entry);
    }

    private static PolicySnapshot Read(SnapshotFileReader reader, ICollection<SnapshotEntry>? noted)
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
        var count = reader.Count(MinEntry);
        return PolicySnapshot.Build(identity, Entries(reader, count, noted), count);
    }

    private static IEnumerable<SnapshotEntry> Entries(SnapshotFileReader reader, int count, ICollection<SnapshotEntry>? noted)
    {
        for (var i = 0; i < count; i++)
        {
            var entry = reader.Entry();
            if (entry.IsNoted)
                noted?.Add(entry);
            yield return entry;
        }
    }
}
