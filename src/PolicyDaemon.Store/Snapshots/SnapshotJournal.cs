using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>The journal of the snapshot: a small file beside the snapshot file, with every change since that file was written.</summary>
/// <remarks>
/// <para>A large snapshot takes a second to write and is written now and then; a change is appended here, with fsync(2), before it
/// is served. So a policy that Postfix was told, a stronger one above all, is told again after a <c>kill -9</c> or a power cut
/// that took the store as well.</para>
/// <code>
/// "PDJRNL" 0x00 0x02    magic and version of the format
/// records               see JournalRecord; each names the snapshot that it starts from and the one that it leads to
/// </code>
/// <para>Whoever reads it begins at the record that starts from the snapshot file's identity. One that is not whole ends the
/// journal: it was being written, and not yet served. When a newer snapshot file is on the disk, the records before it go.</para>
/// </remarks>
internal sealed class SnapshotJournal(string path) : IDisposable
{
    /// <summary>The size beyond which a new snapshot file is due. The records are kept in memory, too, to write the journal anew.</summary>
    internal const long EnoughOctets = 16 << 20;

    private const long MaxOctets = 4 * EnoughOctets;

    private readonly List<JournalRecord> records = [];
    private SnapshotIdentity? head;
    private FileStream? file;
    private FileSignature? signature;
    private int written;
    private bool exists = true; // or may exist, from an earlier run

    private static ReadOnlySpan<byte> Magic => "PDJRNL\0\u0002"u8;

    /// <summary>The identity of the snapshot that the last record leads to; null where changes are missing.</summary>
    internal SnapshotIdentity? Head => head;

    /// <summary>True where every change that the journal was given is on the disk.</summary>
    internal bool IsSynced => records.Count == 0 || (file is not null && written == records.Count);

    internal long Octets => records.Sum(record => (long)record.Octets.Length);

    internal static string PathOf(string snapshotFile) => snapshotFile + ".journal";

    /// <summary>Reads the records that continue from a snapshot.</summary>
    /// <param name="reason">Why not all of the file could be used; null where it could, or there is none.</param>
    internal static IReadOnlyList<JournalRecord> Read(string path, SnapshotIdentity snapshot, out string? reason)
    {
        var found = new List<JournalRecord>();
        reason = null;
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (stream.Length > 2 * MaxOctets)
                throw new InvalidDataException("it is larger than a journal can be");
            var octets = new byte[stream.Length];
            stream.ReadExactly(octets);
            if (!octets.AsSpan().StartsWith(Magic))
                throw new InvalidDataException("it is not a journal that this version can read");
            ReadOnlyMemory<byte> rest = octets.AsMemory(Magic.Length);
            var at = snapshot;
            while (!rest.IsEmpty)
            {
                if (JournalRecord.Take(ref rest) is not { } record)
                {
                    reason = "its last record is not whole";
                    break;
                }

                if (record.Change.Previous != at)
                    continue;
                found.Add(record);
                at = record.Change.Identity;
            }
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return found;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
        {
            reason = error.Message;
        }

        return found;
    }

    /// <summary>Continues the journal that was read at the start.</summary>
    internal void Resume(IEnumerable<JournalRecord> read, SnapshotIdentity last)
    {
        records.AddRange(read);
        head = last;
    }

    /// <summary>Begins an empty journal at a snapshot that is about to be written as a whole.</summary>
    internal void Restart(SnapshotIdentity snapshot)
    {
        records.Clear();
        Close();
        head = snapshot;
    }

    /// <summary>Adds a change in memory; <see cref="Sync"/> writes it.</summary>
    /// <returns>False where the change does not continue from the last one, or the journal is full: a whole snapshot is needed then.</returns>
    internal bool TryAdd(SnapshotChange change)
    {
        var record = change.Previous == head ? JournalRecord.Of(change) : null;
        if (record is null || Octets + record.Octets.Length > MaxOctets)
        {
            head = null;
            return false;
        }

        records.Add(record);
        head = change.Identity;
        return true;
    }

    /// <summary>Drops the records up to a snapshot whose file is on the disk by now.</summary>
    internal void Cover(SnapshotIdentity saved)
    {
        records.RemoveRange(0, records.FindIndex(record => record.Change.Identity == saved) + 1);
        if (records.Count > 0 && records[0].Change.Previous != saved)
            records.Clear();
        if (records.Count == 0)
            head = saved;
        Close();
    }

    /// <summary>Writes what is missing in the file, durably (fsync).</summary>
    /// <exception cref="IOException">The device is full, read-only or broken.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    internal void Sync()
    {
        if (records.Count == 0)
            Forget();
        if (IsSynced && IsInPlace())
            return;
        try
        {
            if (file is not null && IsInPlace())
            {
                Append();
            }
            else
            {
                Rewrite();
            }
        }
        catch
        {
            // Half a record may stand there: the next attempt writes the whole file.
            Close();
            throw;
        }
    }

    public void Dispose() => file?.Dispose();

    /// <summary>Removes the journal file. Where that fails no harm is done: a journal that does not continue from the snapshot file is not read.</summary>
    private void Forget()
    {
        if (!exists)
            return;
        Close();
        exists = false;
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Untidy, nothing more.
        }
    }

    private void Append()
    {
        foreach (var record in records.Skip(written))
            file!.Write(record.Octets.Span);
        file!.Flush(flushToDisk: true);
        written = records.Count;
    }

    private void Rewrite()
    {
        Close();
        exists = true;
        using var draft = FileDraft.Create(path, SnapshotFile.Mode);
        draft.Stream.Write(Magic);
        foreach (var record in records)
            draft.Stream.Write(record.Octets.Span);
        file = draft.ReplaceAndKeep();
        signature = FileSignature.Of(path);
        written = records.Count;
    }

    /// <summary>False where the path names another file than the open one, because somebody removed or replaced the journal.</summary>
    private bool IsInPlace() => records.Count == 0 || (signature is not null && FileSignature.Of(path) is { } now && now.SameFile(signature));

    private void Close()
    {
        file?.Dispose();
        file = null;
        signature = null;
        written = 0;
    }
}
