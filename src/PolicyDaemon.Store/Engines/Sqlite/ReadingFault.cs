using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Win32.SafeHandles;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>Tells a damaged store from a device that could not be read.</summary>
/// <remarks>
/// SQLite makes "database disk image is malformed" of an EIO that it meets while it reads (SQLITE_IOERR_CORRUPTFS, vdbe.c). Whoever
/// is told so restores a backup and loses what was changed since, where a cable would have been the remedy. So damage is what still
/// does not fit together when every octet can be read.
/// </remarks>
internal static class ReadingFault
{
    /// <param name="connection">The connection that met the error; null where it is closed.</param>
    internal static StoreException Judge(string path, string detail, Exception? cause, SqliteConnection? connection) =>
        Unreadable(path) is { } problem ? SqliteFaults.Unavailable(path, problem, cause)
        : connection is not null && IsWhole(connection) ? SqliteFaults.Unavailable(path, $"it could not be read for a moment ({detail}), and is whole", cause)
        : StoreException.Damaged(path, detail, cause);

    private static bool IsWhole(SqliteConnection connection)
    {
        try
        {
            return connection.Query<string>("PRAGMA quick_check(1)").ToList() is ["ok"];
        }
        catch (SqliteException)
        {
            return false;
        }
    }

    /// <summary>Reads store and log from end to end, by SQLite's own descriptors: closing one of ours would drop its locks (fcntl(2)).</summary>
    /// <returns>Why reading fails; null where everything can be read.</returns>
    private static string? Unreadable(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            foreach (var link in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
            {
                if (IsOfStore(link, full) && int.TryParse(Path.GetFileName(link), out var descriptor)
                    && Unreadable(descriptor) is { } problem && IsOfStore(link, full))
                    return problem;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // No /proc to look into.
        }

        return null;
    }

    private static bool IsOfStore(string link, string store) =>
        new FileInfo(link).LinkTarget is { } target && (target == store || target == store + SqliteSession.LogSuffix);

    /// <remarks>Another thread may close the descriptor meanwhile, and its number may be given anew: that tells nothing of the store.</remarks>
    private static string? Unreadable(int descriptor)
    {
        using var handle = new SafeFileHandle(descriptor, ownsHandle: false);
        var buffer = new byte[1 << 20];
        try
        {
            long at = 0;
            for (int count; (count = RandomAccess.Read(handle, buffer, at)) > 0;)
                at += count;
            return null;
        }
        catch (IOException error)
        {
            return error.Message;
        }
        catch (Exception error) when (error is UnauthorizedAccessException or NotSupportedException)
        {
            return null; // EBADF, ESPIPE: nobody's, or a socket's.
        }
    }
}
