using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>Makes database files: a new store, and a copy of one. A file appears under its name only when it is whole.</summary>
internal static class SqliteFile
{
    /// <summary>The mode of the database file, 0660: root, the service user and the group's members all administer.</summary>
    internal const UnixFileMode Mode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>The mode of the database directory, 2770: set-gid, so that every file in it belongs to the group, whoever makes it.</summary>
    internal const UnixFileMode DirectoryMode = UnixFileMode.SetGroup
        | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    // Primary result codes SQLITE_FULL and SQLITE_CANTOPEN of sqlite3.h: the copy's, not the store's.
    private const int Full = 13;
    private const int CannotOpen = 14;

    private static ReadOnlySpan<byte> Magic => "SQLite format 3\0"u8; // sqlite.org/fileformat.html section 1.3.1

    /// <summary>The database with its write-ahead log and the index of that, as far as they are there.</summary>
    internal static IReadOnlyList<string> Of(string path) => [.. ((string[])[path, path + SqliteSession.LogSuffix, path + "-shm"]).Where(File.Exists)];

    /// <summary>True where a file is an SQLite database, by its first octets.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static bool IsDatabase(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Span<byte> start = stackalloc byte[Magic.Length];
        return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual(Magic);
    }

    /// <summary>Makes a new database with the newest schema, and the directory for it where there is none.</summary>
    /// <param name="path">Where nothing lies yet.</param>
    /// <param name="now">The present.</param>
    /// <param name="fill">Writes what belongs into a new store, inside a transaction that it commits.</param>
    internal static void Create(string path, DateTimeOffset now, Action<StoreSession> fill)
    {
        var full = Path.GetFullPath(path);
        var directory = Path.GetDirectoryName(full)!;
        if (Path.Exists(full))
            throw new StoreException(StoreFault.Exists, $"{path}: already there, nothing was touched; 'policyctl status' shows what it holds");
        try
        {
            if (!Directory.Exists(directory))
            {
                Directory.CreateDirectory(directory);
                File.SetUnixFileMode(directory, DirectoryMode);
            }

            // A log left by a database that is gone would be played into the new one.
            foreach (var leftover in (string[])[full + SqliteSession.LogSuffix, full + "-shm"])
            {
                if (File.Exists(leftover))
                    File.Move(leftover, $"{leftover}.orphan-{now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)}", overwrite: true);
            }

            FileDraft.Sweep(directory);
            // SQLite gives its log files the mode of the database, so the umask must not have the last word.
            using var draft = FileDraft.Create(full, Mode);
            Fill(draft.Path, fill);
            draft.Publish();
        }
        catch (IOException) when (File.Exists(full))
        {
            throw new StoreException(StoreFault.Exists, $"{path}: already there, nothing was touched; 'policyctl status' shows what it holds");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw SqliteFaults.From(error, path);
        }
    }

    /// <summary>Refuses where a file lies already, or none can be made.</summary>
    internal static void CheckCreate(string path)
    {
        var full = Path.GetFullPath(path);
        if (Path.Exists(full))
            throw new StoreException(StoreFault.Exists, $"{path}: already there, nothing was touched; 'policyctl status' shows what it holds");
        // Where there is no directory yet, the one above it has to take it.
        var directory = Path.GetDirectoryName(full)!;
        while (!Directory.Exists(directory) && Path.GetDirectoryName(directory) is { } above)
            directory = above;
        try
        {
            FileDraft.Create(Path.Combine(directory, Path.GetFileName(full)), Mode).Dispose();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw SqliteFaults.From(error, path);
        }
    }

    /// <summary>Copies a store while it is in use. Refuses to overwrite.</summary>
    internal static void Copy(SqliteConnection connection, string path, string file)
    {
        var full = Path.GetFullPath(file);
        if (Path.Exists(full))
            throw new StoreException(StoreFault.Exists, $"{file}: already there; name a new file, a backup overwrites none");
        // What a killed backup left may be as large as the store.
        FileDraft.Sweep(Path.GetDirectoryName(full)!);
        try
        {
            // Before the content: a copy of the policy is nobody else's to read, not even for a moment.
            using var draft = FileDraft.Create(full, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
            CopyInto(connection, draft.Path);
            draft.Publish();
        }
        catch (SqliteException error)
        {
            throw SqliteFaults.From(error, error.SqliteErrorCode is Full or CannotOpen ? file : path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(StoreFault.Unavailable, $"{file}: {error.Message}", error);
        }
    }

    private static void Fill(string draft, Action<StoreSession> fill)
    {
        using var session = SqliteSession.OpenDraft(draft);
        var connection = (SqliteConnection)session.Connection;
        connection.Execute("PRAGMA journal_mode = WAL");
        session.BeginWrite();
        SqliteSchema.Create(connection);
        fill(session);
    }

    private static void CopyInto(SqliteConnection connection, string draft)
    {
        // query_only forbids writing to the copy too.
        var queryOnly = connection.ExecuteScalar<long>("PRAGMA query_only") != 0;
        if (queryOnly)
            connection.Execute("PRAGMA query_only = OFF");
        try
        {
            // One read transaction: writers go on, the copy shows the moment at which it began.
            connection.Execute("VACUUM INTO @draft", new { draft });
        }
        finally
        {
            if (queryOnly)
                connection.Execute("PRAGMA query_only = ON");
        }
    }
}
