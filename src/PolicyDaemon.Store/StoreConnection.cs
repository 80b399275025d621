using System.Globalization;
using System.Runtime.InteropServices;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Store.Snapshots;
using SQLitePCL;

namespace PolicyDaemon.Store;

/// <summary>Opens a connection with the settings that every use of the store shares.</summary>
[DapperAot]
internal static class StoreConnection
{
    // PRAGMA application_id: "PolD", so that file(1) and we know the file for what it is.
    internal const long ApplicationId = 0x506f6c44;

    /// <summary>SQLite's write-ahead log lies beside the database.</summary>
    internal const string LogSuffix = "-wal";

    /// <summary>How long another writer is waited for.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Opens an existing file.</summary>
    /// <exception cref="StoreException">It cannot be used; the message says what to do next.</exception>
    internal static SqliteConnection Open(string path, StoreAccess access, TimeSpan? patience = null, bool immutable = false)
    {
        Probe(path);
        return OpenFile(path, access, patience ?? Patience, immutable);
    }

    /// <param name="immutable">Takes it for a file that nobody changes (https://www.sqlite.org/uri.html): nothing is made beside it, no lock is taken.</param>
    internal static SqliteConnection OpenFile(string path, StoreAccess access, TimeSpan patience, bool immutable = false)
    {
        SqliteLibrary.Use();
        // Reading opens for writing too: SQLite then removes the log of its last reader instead of leaving it behind, and
        // can recover one that a killed writer left. query_only keeps the promise.
        var connection = new BoundedConnection(new SqliteConnectionStringBuilder
        {
            DataSource = immutable ? $"file:{EscapeForUri(Path.GetFullPath(path))}?immutable=1" : path,
            Mode = immutable ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWrite,
            Pooling = false,
            ForeignKeys = true,
            DefaultTimeout = 1,
        }.ToString());
        try
        {
            connection.Open();
            connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout = {(long)patience.TotalMilliseconds}"));
            connection.Execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL");
            // A large import's log does not stay that large for ever.
            connection.Execute("PRAGMA journal_size_limit = 16777216");
            if (access == StoreAccess.Read)
                connection.Execute("PRAGMA query_only = ON");
            else if (raw.sqlite3_db_readonly(connection.Handle, "main") == 1)
                throw StoreFaults.NotWritable(path);
            return connection;
        }
        catch (SqliteException error)
        {
            // While it is open: what looks like damage is judged by what its file can be read to be.
            var fault = StoreFaults.From(error, path, connection);
            connection.Dispose();
            throw fault;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <returns>Why the file system does not let anybody write; null where it does, or where only this user may not.</returns>
    internal static StoreException? OnlyRead(SqliteConnection connection, string path) =>
        raw.sqlite3_db_readonly(connection.Handle, "main") == 1 && StoreFaults.NotWritable(path) is { Kind: StoreFault.ReadOnly or StoreFault.Full } fault
            ? fault
            : null;

    private static string EscapeForUri(string path) => path
        .Replace("%", "%25", StringComparison.Ordinal).Replace("?", "%3f", StringComparison.Ordinal).Replace("#", "%23", StringComparison.Ordinal);

    /// <summary>Asks the system before SQLite does, whose "unable to open database file" has no reason.</summary>
    /// <remarks>Without opening the file: when a process closes any descriptor of a file, it loses all its POSIX locks on it
    /// (fcntl(2)), those of other connections too. The next program to leave would then take itself for the last one and remove
    /// the log that the daemon goes on writing to. See https://www.sqlite.org/howtocorrupt.html, section 2.2.</remarks>
    private static void Probe(string path)
    {
        if (NativeMethods.Access(path, NativeMethods.MayRead) != 0)
        {
            throw Marshal.GetLastPInvokeError() switch
            {
                NativeMethods.NoEntry or NativeMethods.NotADirectory => StoreFaults.Missing(path),
                NativeMethods.AccessDenied => StoreFaults.Permission(path),
                var error => new StoreException(StoreFault.Unavailable, $"{path}: {Marshal.GetPInvokeErrorMessage(error)}"),
            };
        }

        if (Directory.Exists(path))
            throw new StoreException(StoreFault.NotAStore, $"{path}: a directory, not a store; name the database file");
        if (FileSignature.Of(path) is { Size: 0 })
            throw new StoreException(StoreFault.NotAStore, $"{path}: the file is empty; remove it and run 'policyctl init', or restore a backup");
    }
}
