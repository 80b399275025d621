using System.Data.Common;
using System.Globalization;
using Dapper;
using Npgsql;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>A connection to a store on a server.</summary>
/// <remarks>Writers are one after the other, as in a file: each begins by locking the end of the audit log. After an error the server takes nothing but
/// the end of the transaction, or of the savepoint.</remarks>
internal sealed class PostgreSqlSession : StoreSession
{
    /// <summary>How long another writer is waited for.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Many nodes that are started at once, or told to read everything, would take the server from those who write.
    private const long MostInBulk = 8;
    private const long BulkLocks = 0x506f6c44_00000000; // "PolD"
    private const int MoveAttempts = 10;

    /// <summary>Ends the transaction of a process that is stopped in the midst of it: others wait for its locks.</summary>
    internal const string GiveUpIdle = "SET LOCAL idle_in_transaction_session_timeout = 5000";

    private readonly PostgreSqlConnection connection;
    private readonly StoreAccess access;
    private readonly PostgreSqlSchema.Identity? identity;
    private readonly TimeSpan patience;
    private readonly bool evenMoved;

    internal PostgreSqlSession(
        string path, PostgreSqlConnection connection, StoreAccess access, PostgreSqlSchema.Identity? identity, TimeSpan patience, bool evenMoved)
        : base(path, connection)
    {
        this.connection = connection;
        this.access = access;
        this.identity = identity;
        this.patience = patience;
        this.evenMoved = evenMoved;
        OnlyRead = identity?.OnlyRead == 1 ? PostgreSqlFaults.ReadOnly(path)
            : !evenMoved && identity?.MovedTo is { } to ? StoreException.Moved(path, to, identity.MovedAt)
            : null;
    }

    internal override string StoreId => identity?.StoreId ?? throw StoreException.Damaged(Path, "it has no identity");

    internal override StoreException? OnlyRead { get; }

    internal override StoreRights Rights => identity is null ? StoreRights.All : new StoreRights(identity.MayProbe == 1, identity.MayDiscover == 1);

    /// <summary>Whom the server knows the session as.</summary>
    internal PostgreSqlUser User => new(connection.User, identity?.Roles);

    /// <summary>True where the connection is gone: who put another database in its place has ended it.</summary>
    internal override bool IsReplaced => !connection.IsOpen;

    /// <exception cref="DbException">The server refuses.</exception>
    /// <exception cref="StoreException">It cannot be used; the message says what to do next.</exception>
    internal static PostgreSqlSession Open(string path, PostgreSqlConnection connection, StoreAccess access, TimeSpan? patience, bool evenMoved)
    {
        // Through a pool a setting would be that of whoever is given the session next.
        if (!connection.IsPooled)
            connection.Execute(LockTimeout("SET lock_timeout", patience ?? Patience));
        var identity = connection.Briefly(() =>
        {
            PostgreSqlSchema.Check(connection, path, access);
            return PostgreSqlSchema.IdentityOf(connection, path);
        });
        var session = new PostgreSqlSession(path, connection, access, identity, patience ?? Patience, evenMoved);
        return session.OnlyRead is { } onlyRead && access == StoreAccess.Write ? throw onlyRead : session;
    }

    internal override void CheckMark()
    {
        if (OnlyRead is { } fault)
            throw fault;
        if (PostgreSqlSchema.FindMissing(connection, PostgreSqlSchema.MarkRights) is { } table)
            throw new PostgreSqlUser(connection.User, identity?.Roles).Refused(Path, PostgreSqlRoles.PurposeOf(table));
    }

    internal override void BeginRead()
    {
        connection.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        if (connection.IsPooled)
            connection.Execute(LockTimeout("SET LOCAL lock_timeout", patience));
    }

    internal override void BeginWrite()
    {
        if (access == StoreAccess.Read)
            throw new StoreException(StoreFault.Permission, $"{Path}: it was opened for reading only");
        Lock("BEGIN");
        // It may have been moved since it was opened; another statement sees it, after what was waited for.
        if (evenMoved || FindMoved() is not { } moved)
            return;
        Rollback();
        throw moved;
    }

    internal override void BeginMove()
    {
        // Whoever was waited for has written what this transaction would not see.
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                Lock("BEGIN ISOLATION LEVEL REPEATABLE READ");
                return;
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.SerializationFailure && attempt < MoveAttempts)
            {
            }
        }
    }

    internal override void Announce() => Connection.Execute("SELECT pg_notify('" + PostgreSqlNews.Channel + "', '')");

    internal override bool HoldsLease(LeaseToken token)
    {
        Connection.Execute(GiveUpIdle);
        return Connection.ExecuteScalar<long?>(
            "SELECT epoch FROM probe_lease WHERE vantage = @Vantage AND instance = @Instance AND epoch = @Epoch FOR SHARE",
            new { token.Vantage, token.Instance, token.Epoch }) is not null;
    }

    /// <summary>From now on rows are inserted many at a time. What a server keeps in memory is its administrator's affair.</summary>
    internal override void PrepareForBulk() => connection.Rows ??= new PostgreSqlRowQueue(connection);

    internal override RowQueue? Queue => connection.Rows;

    internal override bool AsksAfar => true;

    /// <summary>Nothing: references are checked by the server with each write, pages where checksums are on, and both by pg_amcheck.</summary>
    internal override void CheckIntegrity()
    {
    }

    internal override void CheckPages()
    {
    }

    internal override void Interrupt() => connection.Running?.Cancel();

    internal override void WriteRows(string table, IReadOnlyList<string> columns, IEnumerable<object[]> rows)
    {
        connection.CopyRows(table, columns, rows);
        // Numbers that were given do not count for those that the server gives.
        if (columns.Contains("id"))
            connection.Run($"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table} HAVING max(id) IS NOT NULL");
    }

    internal override StoreException FaultOf(DbException error) => FaultOf(error, Path, connection, identity?.Roles);

    /// <summary>Says of a lock that others hold who they are.</summary>
    internal static StoreException FaultOf(DbException error, string path, PostgreSqlConnection connection, string? roles)
    {
        // A server that ended the statement when it was asked to is there; it waited for somebody.
        var fault = error.InnerException is TimeoutException && connection.IsOpen
            ? PostgreSqlFaults.Waited(path, error)
            : PostgreSqlFaults.From(error, path, new PostgreSqlUser(connection.User, roles));
        if (fault.Kind != StoreFault.Locked)
            return fault;
        try
        {
            using var other = PostgreSqlServers.Of(path).Open(ServerChoice.Writes);
            return LockHolder.Find(other) is { } holder ? new StoreException(StoreFault.Locked, $"{fault.Message}; {holder}", error) : fault;
        }
        catch (StoreException)
        {
            return fault;
        }
    }

    // That there are standbys every user may see.
    internal override string? FailoverRisk() =>
        connection.QueryFirst<ReplicationRow>(
            "SELECT current_setting('synchronous_standby_names') AS synchronous, (SELECT count(*) FROM pg_stat_replication) AS standbys") is { Synchronous: "" } row
        && (row.Standbys > 0 || PostgreSqlServers.Of(Path).AreSeveral)
            ? $"synchronous_standby_names is empty at {connection.Server}: a failover loses changes that policyctl called made, the last seconds of them; ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)' and pg_reload_conf() end that, at the price that changes wait for a standby (policydaemon-fleet(7))"
            : null;

    internal override bool TryInTurn(Action work) => InOneMoment(() =>
    {
        var (bulk, most) = (BulkLocks, MostInBulk);
        if (connection.ExecuteScalar<long?>(
            """
            SELECT turn FROM (SELECT CAST(n AS BIGINT) AS turn FROM generate_series(1, @most) AS n) turns
            WHERE pg_try_advisory_xact_lock(@bulk + turn) LIMIT 1
            """,
            new { bulk, most }) is null)
            return false;
        work();
        return true;
    });

    internal sealed record ReplicationRow(string Synchronous, long Standbys);

    private static string LockTimeout(string set, TimeSpan patience) =>
        string.Create(CultureInfo.InvariantCulture, $"{set} = {Math.Max(1, (long)patience.TotalMilliseconds)}");

    /// <summary>Begins a transaction and locks the end of the audit log, which is what every writer does first.</summary>
    private void Lock(string begin)
    {
        connection.Run(begin);
        try
        {
            connection.Execute(LockTimeout("SET LOCAL lock_timeout", patience));
            connection.Execute("SELECT sequence FROM audit_head WHERE id = 1 FOR UPDATE");
        }
        catch (DbException)
        {
            Rollback();
            throw;
        }
    }

    // Classes 22 and 23: data exception, integrity constraint violation. What a role may not write takes no other row with it, either.
    internal override bool IsOfRow(DbException error) =>
        error is PostgresException { SqlState: ['2', '2' or '3', ..] or PostgresErrorCodes.InsufficientPrivilege };
}
