using System.Data.Common;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Keeps a store in a database of a PostgreSQL server, which several machines share.</summary>
/// <remarks>
/// <code>
/// where the servers are   PostgreSqlAddress       which of them                 PostgreSqlServers
/// passwords               PasswordFile            faults                        PostgreSqlFaults
/// sessions                PostgreSqlSession       what Dapper speaks to         PostgreSqlConnection
/// schema                  PostgreSqlSchema        the changes of others         PostgreSqlWatch
/// roles                   PostgreSqlRoles         what the server's administrator is handed   PostgreSqlScript
/// several daemons         PostgreSqlFleet         changes as they come          PostgreSqlNews
/// </code>
/// Whoever administers the server makes the database and its users, and the tables in it where the users may not.
/// </remarks>
internal sealed class PostgreSqlEngine(string name) : StoreEngine(name)
{
    internal override void Create(DateTimeOffset now, Action<StoreSession> fill)
    {
        using var connection = Connect(ServerChoice.Writes);
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

    internal override void CheckCreate(IReadOnlyList<string> tables, IReadOnlyList<string> replaced)
    {
        using var connection = Connect(ServerChoice.Writes);
        try
        {
            PostgreSqlSchema.CheckCreate(connection, Path, tables, replaced);
        }
        catch (DbException error)
        {
            throw PostgreSqlFaults.From(error, Path, new PostgreSqlUser(connection.User, null));
        }
    }

    internal override StoreSession Open(StoreAccess access, TimeSpan? patience = null, bool evenMoved = false) =>
        Open(access == StoreAccess.Write ? ServerChoice.Writes : ServerChoice.Newest, access, patience, evenMoved);

    private PostgreSqlSession Open(ServerChoice choice, StoreAccess access, TimeSpan? patience, bool evenMoved)
    {
        var connection = Connect(choice);
        try
        {
            return PostgreSqlSession.Open(Path, connection, access, patience, evenMoved);
        }
        catch (DbException error)
        {
            using (connection)
                throw PostgreSqlSession.FaultOf(error, Path, connection, null);
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
            using var connection = Connect(ServerChoice.Newest);
            return PostgreSqlSchema.HoldsStore(connection);
        }
        catch (Exception error) when (error is StoreException or DbException)
        {
            return true;
        }
    }

    internal override SchemaChange Upgrade(bool dryRun, TimeSpan? patience = null)
    {
        using var connection = Connect(ServerChoice.Writes);
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
            using var connection = Connect(ServerChoice.Writes);
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

    internal override StoreNews? Listen() => new PostgreSqlNews(() => Connect(ServerChoice.Writes));

    internal override StoreSession OpenToReadAll(TimeSpan patience) => Open(ServerChoice.Bulk, StoreAccess.Read, patience, evenMoved: false);

    internal override void SweepDrafts()
    {
    }

    private PostgreSqlConnection Connect(ServerChoice choice)
    {
        PostgreSqlAddress.ForgetEnvironment();
        try
        {
            return PostgreSqlServers.Of(Path).Open(choice);
        }
        catch (FormatException error)
        {
            throw new StoreException(StoreFault.Unavailable, $"{Path}: {error.Message}", error);
        }
    }
}
