using System.Buffers.Binary;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>A record of the journal: one change of the snapshot, with its octets as they are in the file.</summary>
/// <remarks>
/// <code>
/// length                            of what follows, 4 octets
/// store id, digest, major, minor    the same before and after the change
/// sequence, hash                    of the snapshot before
/// sequence, hash                    of the snapshot after
/// count                             then so many entries, as in the snapshot file
/// count                             then so many removed keys
/// XXH128 of all before but length   16 octets
/// </code>
/// Numbers and texts are written as in the snapshot file.
/// </remarks>
internal sealed record JournalRecord(SnapshotChange Change, ReadOnlyMemory<byte> Octets)
{
    private const int LengthOctets = 4;
    private const int MinKey = 4 + 1; // a key of one octet

    internal static JournalRecord Of(SnapshotChange change)
    {
        using var stream = new MemoryStream();
        stream.Write(stackalloc byte[LengthOctets]);
        var writer = new SnapshotFileWriter(stream);
        var (before, after) = (change.Previous, change.Identity);
        writer.Text(after.StoreId);
        writer.Text(after.Digest.Name());
        writer.Int(after.Version.Major);
        writer.Int(after.Version.Minor);
        foreach (var identity in (SnapshotIdentity[])[before, after])
        {
            writer.Long(identity.Sequence);
            writer.Text(identity.Hash);
        }

        writer.Int(change.Changed.Count);
        foreach (var entry in change.Changed)
            writer.Entry(entry);
        writer.Int(change.Removed.Count);
        foreach (var key in change.Removed)
            writer.Text(key);
        writer.Checksum();
        var octets = stream.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(octets, octets.Length - LengthOctets);
        return new JournalRecord(change, octets);
    }

    /// <summary>Reads the first record of a buffer and moves the buffer behind it.</summary>
    /// <returns>The record; null where the buffer ends before the record does.</returns>
    /// <exception cref="InvalidDataException">The octets are no record.</exception>
    internal static JournalRecord? Take(ref ReadOnlyMemory<byte> octets)
    {
        if (octets.Length < LengthOctets)
            return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(octets.Span);
        if (length < 0 || length > octets.Length - LengthOctets)
            return null;
        var whole = octets[..(LengthOctets + length)];
        var change = Read(new SnapshotFileReader(new MemoryStream(whole[LengthOctets..].ToArray(), writable: false)));
        octets = octets[whole.Length..];
        return new JournalRecord(change, whole);
    }

    private static SnapshotChange Read(SnapshotFileReader reader)
    {
        var storeId = reader.Text();
        var digestName = reader.Text();
        if (!DigestAlgorithms.TryParse(digestName, out var digest))
            throw new InvalidDataException($"it names the digest '{digestName}'");
        var version = new PostfixVersion(reader.Int(), reader.Int());
        var before = new SnapshotIdentity(storeId, reader.Long(), reader.Text(), digest, version);
        var after = new SnapshotIdentity(storeId, reader.Long(), reader.Text(), digest, version);
        var changed = new SnapshotEntry[reader.Count(SnapshotFile.MinEntry)];
        for (var i = 0; i < changed.Length; i++)
            changed[i] = reader.Entry();
        var removed = new string[reader.Count(MinKey)];
        for (var i = 0; i < removed.Length; i++)
            removed[i] = reader.Text();
        return reader.EndsWithChecksum() ? new SnapshotChange(before, after, changed, removed) : throw new InvalidDataException("its checksum does not fit its content");
    }
}
