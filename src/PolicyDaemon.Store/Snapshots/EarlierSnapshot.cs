using PolicyDaemon.Store.Auditing;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>The last good snapshot under another name: a machine whose store became a copy at another path has none beside that copy, and still must not answer by less than before.</summary>
internal static class EarlierSnapshot
{
    // Each daemon leaves one; whoever has more here has something else in mind.
    private const int Most = 16;

    /// <summary>Looks through the snapshot files beside one that is not there, the newest first, within the caller's transaction.</summary>
    /// <param name="path">The snapshot file that is not there.</param>
    /// <param name="session">The store that is about to be loaded.</param>
    /// <returns>The first that is of the same store and ends with a row that its log lacks and nobody gave up; null where there is none, and the store is not behind.</returns>
    internal static (string Path, LastGoodSnapshot Read)? Find(string path, StoreSession session)
    {
        if (session.FindStoreId() is not { } storeId)
            return null;
        foreach (var other in Beside(path).Where(other => SnapshotFile.TryReadStoreId(other) == storeId))
        {
            if (LastGoodSnapshot.TryRead(other, out var read, out _)
                && !AuditLog.Continues(session.Connection, read.Snapshot.Identity, storeId)
                && !AuditLog.Accepts(session.Connection, read.Snapshot.Identity))
                return (other, read);
        }

        return null;
    }

    private static List<string> Beside(string path)
    {
        try
        {
            var directory = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
            // A large snapshot is written now and then; its journal is newer.
            return [.. Directory.EnumerateFiles(directory, "*.snapshot").Where(other => other != Path.GetFullPath(path))
                .OrderByDescending(other => new[] { File.GetLastWriteTimeUtc(other), File.GetLastWriteTimeUtc(SnapshotJournal.PathOf(other)) }.Max()).Take(Most)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
