using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>Makes a <see cref="StoreException"/> of an error of SQLite or the system, with a message that says what to do next.</summary>
internal static class SqliteFaults
{
    // sqlite3.h: primary result codes.
    private const int Perm = 3;
    private const int Busy = 5;
    private const int Locked = 6;
    private const int ReadOnly = 8;
    private const int IoError = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int Auth = 23;
    private const int NotADatabase = 26;
    // sqlite3.h: SQLITE_IOERR_SHMSIZE, how a full disk shows when the shared-memory file cannot grow.
    private const int IoErrorSharedMemorySize = IoError | (19 << 8);

    /// <param name="connection">The connection that met the error, to tell damage from a device that could not be read.</param>
    internal static StoreException From(SqliteException error, string path, SqliteConnection? connection = null) => error.SqliteErrorCode switch
    {
        Busy or Locked => new(StoreFault.Locked, $"{path}: another program holds the store; try again in a moment", error),
        CannotOpen when !File.Exists(path) => Missing(path),
        Perm or ReadOnly or Auth or CannotOpen => NotWritable(path, error),
        Corrupt => ReadingFault.Judge(path, error.Message, error, connection),
        NotADatabase => new(
            StoreFault.NotAStore, $"{path}: not a store of PolicyDaemon; check the path, or restore a backup", error),
        Full => NoSpace(path, error),
        IoError when error.SqliteExtendedErrorCode == IoErrorSharedMemorySize => NoSpace(path, error),
        _ => Unavailable(path, error.Message, error),
    };

    internal static StoreException From(Exception error, string path) => error switch
    {
        SqliteException sqlite => From(sqlite, path),
        UnauthorizedAccessException => Permission(path, error),
        FileNotFoundException or DirectoryNotFoundException => Missing(path),
        _ => new(StoreFault.Unavailable, $"{path}: {error.Message}", error),
    };

    internal static StoreException Missing(string path) =>
        new(StoreFault.Missing, $"{path}: no such store; make one with 'policyctl init', or restore a backup to this path");

    internal static StoreException Permission(string path, Exception? cause = null) =>
        new(
            StoreFault.Permission,
            $"{path}: access denied; run as root, or join the group policydaemon (adduser USER policydaemon) and log in again; "
            + "a file put back from a backup also needs 'chgrp policydaemon' and 'chmod 660'",
            cause);

    internal static StoreException Unavailable(string path, string detail, Exception? cause = null) =>
        new(StoreFault.Unavailable, $"{path}: {detail}; look for disk errors in the kernel's log", cause);

    /// <summary>Says why a store cannot be written: SQLite says "unable to open" of a missing right, a read-only file system and a full one alike.</summary>
    internal static StoreException NotWritable(string path, Exception? cause = null)
    {
        if (IsReadOnly(path) || IsReadOnly(Path.GetDirectoryName(Path.GetFullPath(path))!))
            return ReadOnlyFileSystem(path, cause);
        try
        {
            // SQLite makes its log beside the store; whether a file can be made there only making one tells.
            FileDraft.Create(path, UnixFileMode.UserRead | UnixFileMode.UserWrite).Dispose();
        }
        catch (IOException error)
        {
            return FileRefusals.IsReadOnlyFileSystem(error) ? ReadOnlyFileSystem(path, cause) : NoSpace(path, cause ?? error);
        }
        catch (UnauthorizedAccessException)
        {
            // A right is missing, then.
        }

        return Permission(path, cause);
    }

    private static bool IsReadOnly(string path) => FileRefusals.OfWriting(path) == FileRefusal.ReadOnlyFileSystem;

    private static StoreException ReadOnlyFileSystem(string path, Exception? cause) => new(
        StoreFault.ReadOnly,
        $"{path}: read-only file system, so that the store can be read and not changed; the kernel's log says why it is so", cause);

    private static StoreException NoSpace(string path, Exception cause) => new(
        StoreFault.Full, $"{path}: no space left; nothing was changed, free some space or inodes (df, df -i) on the device and try again", cause);
}
