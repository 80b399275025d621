using Microsoft.Data.Sqlite;

namespace PolicyDaemon.Store;

/// <summary>Says what an error of SQLite or the system means for the store, and what to do next.</summary>
internal static class StoreFaults
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

    internal static StoreException From(SqliteException error, string path) => error.SqliteErrorCode switch
    {
        Busy or Locked => new(StoreFault.Locked, $"{path}: another program holds the store; try again in a moment", error),
        Perm or ReadOnly or Auth => Permission(path, error),
        CannotOpen when !File.Exists(path) => Missing(path),
        CannotOpen => Permission(path, error),
        Corrupt => Damaged(path, error.Message, error),
        NotADatabase => new(
            StoreFault.NotAStore, $"{path}: not a store of PolicyDaemon; check the path, or restore a backup", error),
        Full => NoSpace(path, error),
        IoError when error.SqliteExtendedErrorCode == IoErrorSharedMemorySize => NoSpace(path, error),
        _ => new(StoreFault.Unavailable, $"{path}: {error.Message}; look for disk errors in the kernel's log", error),
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

    internal static StoreException Damaged(string path, string detail, Exception? cause = null) =>
        new(
            StoreFault.Damaged,
            $"{path}: the store is damaged ({detail}); restore a backup, the daemon keeps answering from its last good snapshot",
            cause);

    private static StoreException NoSpace(string path, Exception cause) =>
        new(StoreFault.Full, $"{path}: no space left; nothing was changed, free some space on the device and try again", cause);
}
