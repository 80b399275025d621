using System.Collections.Concurrent;
using System.Data.Common;
using Npgsql;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Keeps a store in a database of a PostgreSQL server, which several machines share.</summary>
/// <remarks>
/// <code>
/// where the server is     PostgreSqlAddress       faults                        PostgreSqlFaults
/// sessions                PostgreSqlSession       what Dapper speaks to         PostgreSqlConnection
/// schema                  PostgreSqlSchema        the changes of others         PostgreSqlWatch
/// several daemons         PostgreSqlFleet         changes as they come   PostgreSqlNews
/// roles                   PostgreSqlRoles         what the server's administrator is handed   PostgreSqlScript
/// </code>
/// Whoever administers the server makes the database and its users, and the tables in it where the users may not.
/// </remarks>
internal sealed class PostgreSqlEngine(string name) : StoreEngine(name)
{
    // One for all engines over the same store: a program opens it many times.
    private static readonly ConcurrentDictionary<string, NpgsqlDataSource> Sources = new(StringComparer.Ordinal);

    internal override void Create(DateTimeOffset now, Action<StoreSession> fill)
    {
        using var connection = Connect();
        try
        {
            PostgreSqlSchema.Create(connection, Path, () =>
            {
                using var session = new PostgreSqlSession(Path, connection, StoreAccess.Write, null, PostgreSqlSession.Patience, evenMoved: true);
                fill(session);
            });
        }
        catch (DbException error)
        {
            throw PostgreSqlFaults.From(error, Path, new PostgreSqlUser(connection.User, null));
        }
    }

    internal override StoreSession Open(StoreAccess access, TimeSpan? patience = null, bool evenMoved = false)
    {
        var connection = Connect();
        try
        {
            return PostgreSqlSession.Open(Path, connection, access, patience, evenMoved);
        }
        catch (DbException error)
        {
            connection.Dispose();
            throw PostgreSqlFaults.From(error, Path, new PostgreSqlUser(connection.User, null));
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    internal override StoreWatch Watch(TimeSpan patience) => new PostgreSqlWatch(Open(StoreAccess.Read, patience));

    internal override bool IsShared => true;

    internal override FleetTables? OpenFleet(StoreAccess access) => new PostgreSqlFleet((PostgreSqlSession)Open(access));

    /// <summary>None: the server keeps the files, and tells others nothing of them.</summary>
    internal override FileSignature? Signature() => null;

    /// <summary>True where the database holds a store, or cannot be asked: nothing is made where nobody knows what is there.</summary>
    internal override bool Exists()
    {
        try
        {
            using var connection = Connect();
            return PostgreSqlSchema.HoldsStore(connection);
        }
        catch (Exception error) when (error is StoreException or DbException)
        {
            return true;
        }
    }

    internal override SchemaChange Upgrade(bool dryRun, TimeSpan? patience = null)
    {
        using var connection = Connect();
        try
        {
            return PostgreSqlUpgrade.Run(connection, Path, PostgreSqlSchema.Migrations, dryRun, patience ?? PostgreSqlSession.Patience);
        }
        catch (DbException error)
        {
            throw PostgreSqlFaults.From(error, Path, new PostgreSqlUser(connection.User, null));
        }
    }

    internal override bool IsPrepared()
    {
        try
        {
            using var connection = Connect();
            return PostgreSqlSchema.HasTables(connection) && !PostgreSqlSchema.HoldsStore(connection);
        }
        catch (Exception error) when (error is StoreException or DbException)
        {
            return false;
        }
    }

    internal override StoreStamp? Stamp() => null;

    // A change is to be live within a second.
    internal override TimeSpan? PollInterval => TimeSpan.FromMilliseconds(500);

    internal override StoreNews? Listen() => new PostgreSqlNews(() => Sources.GetOrAdd(Path, PostgreSqlAddress.Parse).OpenConnection());

    internal override void SweepDrafts()
    {
    }

    private PostgreSqlConnection Connect()
    {
        try
        {
            PostgreSqlAddress.ForgetEnvironment();
            return new PostgreSqlConnection(Sources.GetOrAdd(Path, PostgreSqlAddress.Parse).OpenConnection());
        }
        catch (DbException error)
        {
            throw PostgreSqlFaults.From(error, Path, null);
        }
        catch (Exception error) when (error is FormatException or ArgumentException or IOException or UnauthorizedAccessException or TimeoutException)
        {
            throw PostgreSqlFaults.Unavailable(Path, error);
        }
    }
}
