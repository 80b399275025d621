using System.Data.Common;
using System.Globalization;
using System.Runtime.InteropServices;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Faults;
using SQLitePCL;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>A connection to a store in an SQLite database, with the settings that every use shares.</summary>
internal sealed class SqliteSession : StoreSession
{
    /// <summary>SQLite's write-ahead log lies beside the database.</summary>
    internal const string LogSuffix = "-wal";

    /// <summary>How long another writer is waited for.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Primary result code SQLITE_CONSTRAINT of sqlite3.h.
    private const int Constraint = 19;

    private readonly SqliteConnection connection;
    private readonly string? storeId;
    private readonly FileSignature? opened;
    private readonly bool evenMoved;

    private SqliteSession(string path, SqliteConnection connection, string? storeId, FileSignature? opened, StoreException? onlyRead, bool immutable, bool evenMoved)
        : base(path, connection)
    {
        this.connection = connection;
        this.storeId = storeId;
        this.opened = opened;
        OnlyRead = onlyRead;
        IsImmutable = immutable;
        this.evenMoved = evenMoved;
    }

    internal override string StoreId => storeId ?? throw StoreException.Damaged(Path, "it has no identity");

    internal override StoreException? OnlyRead { get; }

    internal override bool IsReplaced => opened is null || FileSignature.Of(Path) is not { } now || !now.SameFile(opened);

    /// <summary>True where SQLite takes the file for one that nobody changes: what is changed all the same may be read in pieces.</summary>
    internal bool IsImmutable { get; }

    internal sqlite3 Handle => connection.Handle!;

    /// <summary>Opens an existing store.</summary>
    /// <exception cref="StoreException">It cannot be used; the message says what to do next.</exception>
    internal static SqliteSession Open(string path, StoreAccess access, TimeSpan? patience = null, bool evenMoved = false)
    {
        try
        {
            return Open(path, access, patience, null, evenMoved);
        }
        catch (StoreException error) when (access == StoreAccess.Read
            && (error.Kind is StoreFault.ReadOnly or StoreFault.Full || (error.Kind == StoreFault.Permission && FileRefusals.OfReading(path) == FileRefusal.None)))
        {
            // SQLite reads a store with a log only where it can keep an index beside it, or somebody who may keeps one that this user may read.
            // After the last program closed the store there is no log, and the file is all there is.
            return FileSignature.Of(path + LogSuffix) is { Size: > 0 }
                ? throw new StoreException(
                    error.Kind,
                    $"{error.Message}; {path}{LogSuffix} holds changes that cannot be read here: copy both files to another place and name the copy with --database",
                    error)
                : Open(path, access, patience, error, evenMoved);
        }
    }

    /// <summary>The version of a store, whether or not this program can use it.</summary>
    /// <exception cref="StoreException">It cannot be read.</exception>
    internal static long VersionOf(string path)
    {
        Probe(path);
        using var connection = Connect(path, StoreAccess.Read, Patience, immutable: false);
        try
        {
            return SqliteSchema.VersionOf(connection).Version;
        }
        catch (SqliteException error)
        {
            throw SqliteFaults.From(error, path, connection);
        }
    }

    /// <summary>Opens a file in the making, which holds no store yet.</summary>
    internal static SqliteSession OpenDraft(string path) => new(path, Connect(path, StoreAccess.Write, Patience, immutable: false), null, null, null, immutable: false, evenMoved: true);

    internal override void CheckMark()
    {
        if (raw.sqlite3_db_readonly(Handle, "main") == 1)
            throw SqliteFaults.NotWritable(Path);
    }

    internal override void BeginRead() => connection.Execute("BEGIN DEFERRED");

    internal override void BeginWrite()
    {
        connection.Execute("BEGIN IMMEDIATE");
        // It may have been moved since it was opened.
        if (evenMoved || FindMoved() is not { } moved)
            return;
        Rollback();
        throw moved;
    }

    /// <summary>Lets the next changes keep up to 64 MiB of the database in memory.</summary>
    /// <remarks>With the usual 2 MiB a large import writes many pages to the log several times. Its rows come in the order of their keys,
    /// so that the ends of the indexes are all that has to be at hand. Lasts as long as the session.</remarks>
    internal override void PrepareForBulk() => connection.Execute("PRAGMA cache_size = -65536");

    internal override void CheckIntegrity()
    {
        RefuseProblem(connection.Query<string>("PRAGMA integrity_check(1)").ToList());
        var orphan = connection.Query<string>("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1").ToList().FirstOrDefault();
        if (orphan is not null)
            throw StoreException.Damaged(Path, $"a row of {orphan} refers to one that is not there");
    }

    internal override void CheckPages() => RefuseProblem(connection.Query<string>("PRAGMA quick_check(1)").ToList());

    internal override void Interrupt() => raw.sqlite3_interrupt(Handle);

    internal override bool TryBackup(string file)
    {
        SqliteFile.Copy(connection, Path, file);
        return true;
    }

    internal override void WriteRows(string table, IReadOnlyList<string> columns, IEnumerable<object[]> rows)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the names of tables and columns are this library's own
        command.CommandText = $"INSERT INTO {table} ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select(column => "@" + column))})";
#pragma warning restore CA2100
        foreach (var column in columns)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = column;
            command.Parameters.Add(parameter);
        }

        foreach (var row in rows)
        {
            for (var i = 0; i < row.Length; i++)
                command.Parameters[i].Value = row[i];
            command.ExecuteNonQuery();
        }
    }

    internal override StoreException FaultOf(DbException error) =>
        error is SqliteException sqlite ? SqliteFaults.From(sqlite, Path, connection) : new StoreException(StoreFault.Unavailable, $"{Path}: {error.Message}", error);

    internal override bool IsOfRow(DbException error) => error is SqliteException { SqliteErrorCode: Constraint };

    internal override T InOneMoment<T>(Func<T> work) => base.InOneMoment(() =>
    {
        var before = IsImmutable ? FileSignature.Of(Path) : null;
        var result = work();
        return IsImmutable && (FileSignature.Of(Path + LogSuffix) is not null || FileSignature.Of(Path) != before)
            ? throw new StoreException(StoreFault.Unavailable, $"{Path}: it was changed while it was read; it is read again")
            : result;
    });

    private static SqliteSession Open(string path, StoreAccess access, TimeSpan? patience, StoreException? onlyRead, bool evenMoved)
    {
        Probe(path);
        // Before it is opened: of a file that takes its place meanwhile too much is opened anew, and nothing missed.
        var opened = FileSignature.Of(path);
        SqliteConnection? connection = null;
        try
        {
            connection = Connect(path, access, patience ?? Patience, immutable: onlyRead is not null);
            SqliteSchema.Check(connection, path, access);
            string? storeId = connection.QueryFirstOrDefault<string>("SELECT store_id FROM store WHERE id = 1");
            if (storeId is null)
                throw StoreException.Damaged(path, "it has no identity");
            // Whom a right is missing, that is no reason that nobody can write it.
            var nobodyWrites = onlyRead is { Kind: StoreFault.Permission } ? null : onlyRead ?? OnlyReadable(connection, path);
            var session = new SqliteSession(path, connection, storeId, opened, nobodyWrites, immutable: onlyRead is not null, evenMoved);
            if (evenMoved || session.FindMoved() is not { } moved)
                return session;
            return access == StoreAccess.Write ? throw moved : new SqliteSession(path, connection, storeId, opened, moved, immutable: onlyRead is not null, evenMoved);
        }
        catch (SqliteException error)
        {
            var fault = SqliteFaults.From(error, path, connection);
            connection?.Dispose();
            throw fault;
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    /// <param name="immutable">Takes it for a file that nobody changes (https://www.sqlite.org/uri.html): nothing is made beside it, no lock is taken.</param>
    internal static PreparedConnection Connect(string path, StoreAccess access, TimeSpan patience, bool immutable)
    {
        SqliteLibrary.Use();
        // Reading opens for writing too: SQLite then removes the log of its last reader instead of leaving it behind, and
        // can recover one that a killed writer left. query_only keeps the promise.
        var connection = new PreparedConnection(new SqliteConnectionStringBuilder
        {
            DataSource = immutable ? $"file:{EscapeForUri(System.IO.Path.GetFullPath(path))}?immutable=1" : path,
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
                throw SqliteFaults.NotWritable(path);
            return connection;
        }
        catch (SqliteException error)
        {
            // While it is open: what looks like damage is judged by what its file can be read to be.
            var fault = SqliteFaults.From(error, path, connection);
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
    private static StoreException? OnlyReadable(SqliteConnection connection, string path) =>
        raw.sqlite3_db_readonly(connection.Handle, "main") == 1 && SqliteFaults.NotWritable(path) is { Kind: StoreFault.ReadOnly or StoreFault.Full } fault
            ? fault
            : null;

    private static string EscapeForUri(string path) => path
        .Replace("%", "%25", StringComparison.Ordinal).Replace("?", "%3f", StringComparison.Ordinal).Replace("#", "%23", StringComparison.Ordinal);

    private void RefuseProblem(List<string> lines)
    {
        if (lines.Find(line => line != "ok") is { } problem)
            throw ReadingFault.Judge(Path, problem, null, connection);
    }

    /// <summary>Asks the system before SQLite does, whose "unable to open database file" has no reason.</summary>
    /// <remarks>Without opening the file: when a process closes any descriptor of a file, it loses all its POSIX locks on it
    /// (fcntl(2)), those of other connections too. The next program to leave would then take itself for the last one and remove
    /// the log that the daemon goes on writing to. See https://www.sqlite.org/howtocorrupt.html, section 2.2.</remarks>
    private static void Probe(string path)
    {
        var refusal = FileRefusals.OfReading(path);
        if (refusal != FileRefusal.None)
        {
            throw refusal switch
            {
                FileRefusal.Missing => SqliteFaults.Missing(path),
                FileRefusal.NoPermission => SqliteFaults.Permission(path),
                _ => new StoreException(StoreFault.Unavailable, $"{path}: {Marshal.GetLastPInvokeErrorMessage()}"),
            };
        }

        if (Directory.Exists(path))
            throw new StoreException(StoreFault.NotAStore, $"{path}: a directory, not a store; name the database file");
        if (FileSignature.Of(path) is { Size: 0 })
            throw new StoreException(StoreFault.NotAStore, $"{path}: the file is empty; remove it and run 'policyctl init', or restore a backup");
    }
}
