using System.Data.Common;
using System.Globalization;
using Dapper;
using Npgsql;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Decides whether a database holds a store that this program may use, and makes one.</summary>
/// <remarks>The schema is what the files <c>Migrations/NNNN.sql</c> lead to. The first makes at once what those of SQLite with the numbers up to it
/// made by and by. Its tables belong to the role that owns them where there is one; what the other roles may do is <see cref="PostgreSqlRoles"/>.</remarks>
internal static class PostgreSqlSchema
{
    /// <summary>Held while tables are made or altered: any number that others are not likely to lock, "PolD", as SQLite's application_id has it.</summary>
    internal const long MakingLock = 0x506f6c44;

    /// <summary>All migrations, in order.</summary>
    internal static IReadOnlyList<Migration> Migrations { get; } = Migration.Of("PostgreSql");

    /// <summary>The version that this program writes.</summary>
    internal static long Newest => Migrations[^1].Version;

    /// <summary>True where there are the tables of a store, whether or not one was made in them.</summary>
    internal static bool HasTables(DbConnection connection) =>
        connection.ExecuteScalar<string>("SELECT to_regclass('schema_version')::text") is not null;

    /// <summary>True where a store was made.</summary>
    internal static bool HoldsStore(DbConnection connection) =>
        HasTables(connection) && connection.ExecuteScalar<long>("SELECT count(*) FROM store") > 0;

    internal static void Check(DbConnection connection, string path, StoreAccess access)
    {
        var found = VersionOf(connection, path);
        found.RefuseNewer(path, access, Newest);
        if (found.Version < Newest)
            throw new StoreException(StoreFault.Older, string.Create(CultureInfo.InvariantCulture, $"{path}: of schema {found.Version}, and this version of PolicyDaemon needs {Newest}; bring it up to date, once for all machines: policyctl store upgrade"));
    }

    /// <summary>The identity of the store, and who asks for it.</summary>
    internal static Identity IdentityOf(DbConnection connection, string path)
    {
        // A role that owns everything has all others.
        if (connection.QueryFirstOrDefault<Identity>(
            """
            SELECT s.store_id, s.moved_to, s.moved_at, CASE WHEN current_setting('transaction_read_only') = 'on' THEN 1 ELSE 0 END AS only_read,
                   CASE WHEN has_table_privilege('probe_target', 'DELETE') THEN 1 ELSE 0 END AS may_probe,
                   CASE WHEN has_table_privilege('discovered', 'INSERT') THEN 1 ELSE 0 END AS may_discover,
                   (SELECT string_agg(r.rolname::text, ', ' ORDER BY r.rolname) FROM pg_roles r
                    WHERE r.rolname IN ('policydaemon_owner', 'policydaemon_admin', 'policydaemon_prober', 'policydaemon_node')
                      AND pg_has_role(r.oid, 'USAGE')) AS roles
            FROM store s WHERE s.id = 1
            """) is { } found)
            return found;
        throw connection.ExecuteScalar<long>("SELECT count(*) FROM audit") == 0
            ? PostgreSqlFaults.Empty(path)
            : StoreException.Damaged(path, "it has no identity");
    }

    /// <summary>Makes a store in a database without one: its tables where there are none, and what belongs into them.</summary>
    /// <param name="fill">Writes what belongs into a new store, inside the transaction, which it commits.</param>
    internal static void Create(DbConnection connection, string path, Action fill)
    {
        RefuseEncoding(connection, path);
        connection.Execute("BEGIN");
        connection.Execute("SELECT pg_advisory_xact_lock(@MakingLock)", new { MakingLock });
        if (HasTables(connection))
        {
            if (HoldsStore(connection))
                throw new StoreException(StoreFault.Exists, $"{path}: already there, nothing was touched; 'policyctl status' shows what it holds");
            Check(connection, path, StoreAccess.Write);
        }
        else
        {
            MakeTables(connection, path);
        }

        fill();
    }

    /// <summary>Refuses where <see cref="Create"/> would, and where the user may not write all that belongs into a store.</summary>
    /// <param name="tables">Those that are to be filled.</param>
    /// <param name="replaced">Those of them in which a new store has rows of its own.</param>
    internal static void CheckCreate(PostgreSqlConnection connection, string path, IReadOnlyList<string> tables, IReadOnlyList<string> replaced)
    {
        RefuseEncoding(connection, path);
        if (connection.ExecuteScalar<string>("SELECT current_setting('transaction_read_only')") == "on")
            throw PostgreSqlFaults.ReadOnly(path);
        if (!HasTables(connection))
        {
            if (connection.ExecuteScalar<long>("SELECT CASE WHEN has_schema_privilege('public', 'CREATE') THEN 1 ELSE 0 END") == 0 && !IsOwner(connection))
                throw MakesNoTables(path, "permission denied for schema public", null);
            return;
        }

        if (HoldsStore(connection))
            throw new StoreException(StoreFault.Exists, $"{path}: already there, nothing was touched; 'policyctl status' shows what it holds");
        Check(connection, path, StoreAccess.Write);
        if (FindMissing(connection, [.. tables.Select(table => table + " INSERT"), .. replaced.Select(table => table + " DELETE"), .. MarkRights]) is { } missing)
            throw new PostgreSqlUser(connection.User, RolesOf(connection)).Refused(path, PostgreSqlRoles.PurposeOf(missing));
        if (FindFilled(connection, tables.Except(replaced)) is { } filled)
            throw new StoreException(StoreFault.Exists, $"{path}: no store, and yet there are rows in the table {filled}; nothing was changed. Make the database anew (dropdb, createdb and 'policyctl store schema'), or name another one");
    }

    /// <summary>What it takes to mark a store as moved, and to take the mark off: tables with a privilege each.</summary>
    internal static readonly IReadOnlyList<string> MarkRights = ["store UPDATE", "schema_version UPDATE"];

    /// <summary>The first table for which the user has not a privilege that is asked for; null where it has all.</summary>
    /// <param name="rights">Each a table and a privilege, with a blank between them.</param>
    internal static string? FindMissing(DbConnection connection, IEnumerable<string> rights)
    {
        var wanted = string.Join(',', rights);
        return connection.ExecuteScalar<string>(
            """
            SELECT split_part(w, ' ', 1) FROM unnest(string_to_array(CAST(@wanted AS TEXT), ',')) AS w
            WHERE NOT has_table_privilege(split_part(w, ' ', 1), split_part(w, ' ', 2)) LIMIT 1
            """,
            new { wanted });
    }

    private static string? RolesOf(DbConnection connection) => connection.ExecuteScalar<string>(
        """
        SELECT string_agg(rolname::text, ', ' ORDER BY rolname) FROM pg_roles
        WHERE rolname IN ('policydaemon_owner', 'policydaemon_admin', 'policydaemon_prober', 'policydaemon_node') AND pg_has_role(oid, 'USAGE')
        """);

    /// <summary>A table in which rows of a store are, where no store is; null where there is none.</summary>
    private static string? FindFilled(DbConnection connection, IEnumerable<string> tables)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the names of tables are this library's own
        command.CommandText = string.Join(" UNION ALL ", tables.Select(table => $"(SELECT '{table}' FROM {table} LIMIT 1)")) + " LIMIT 1";
#pragma warning restore CA2100
        return command.ExecuteScalar() as string;
    }

    private static void RefuseEncoding(DbConnection connection, string path)
    {
        if (connection.ExecuteScalar<string>("SELECT current_setting('server_encoding')") is var encoding && encoding != "UTF8")
            throw new StoreException(StoreFault.Unavailable, $"{path}: the database has the encoding {encoding}; make it with encoding UTF8 (createdb --encoding=UTF8 --template=template0)");
    }

    /// <summary>Takes the role that owns what is made or altered from here on, where this user has it.</summary>
    internal static void ActAsOwner(DbConnection connection)
    {
        if (IsOwner(connection))
            connection.Execute("SET LOCAL ROLE policydaemon_owner");
    }

    private static bool IsOwner(DbConnection connection) => connection.ExecuteScalar<long>(
        """
        SELECT count(*) FROM pg_roles r
        WHERE r.rolname = 'policydaemon_owner' AND pg_has_role(r.oid, 'MEMBER') AND has_schema_privilege(r.oid, 'public', 'CREATE')
        """) > 0;

    /// <summary>Gives the roles their rights, where the server has them.</summary>
    internal static void Grant(DbConnection connection)
    {
        if (connection.ExecuteScalar<long>("SELECT count(*) FROM pg_roles WHERE rolname IN ('policydaemon_admin', 'policydaemon_prober', 'policydaemon_node')") == 3)
            connection.Execute(PostgreSqlRoles.Grants());
    }

    private static void MakeTables(DbConnection connection, string path)
    {
        ActAsOwner(connection);
        try
        {
            foreach (var migration in Migrations)
                connection.Execute(migration.Sql);
            Grant(connection);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw MakesNoTables(path, error.MessageText, error);
        }
    }

    private static StoreException MakesNoTables(string path, string why, Exception? error) => new(
        StoreFault.Permission,
        $"{path}: {why}: this user may make no tables here; hand the administrator of the server what 'policyctl store schema' prints, for psql, and then run this command again",
        error);

    internal static SchemaVersion VersionOf(DbConnection connection, string path)
    {
        try
        {
            return connection.QueryFirstOrDefault<SchemaVersion>("SELECT version, readable_from, writable_from FROM schema_version ORDER BY version DESC LIMIT 1")
                ?? throw StoreException.Damaged(path, "it does not say which version it is");
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            throw PostgreSqlFaults.Missing(path, error);
        }
    }

    /// <summary>The store, and what this user may do with it.</summary>
    /// <param name="StoreId">Its random identity.</param>
    /// <param name="MovedTo">Where the store went; null where it is the one that is used.</param>
    /// <param name="MovedAt">When.</param>
    /// <param name="OnlyRead">1 where the server takes no writes.</param>
    /// <param name="MayProbe">1 where the user may write what probes find.</param>
    /// <param name="MayDiscover">1 where the user may write what discovery remembers.</param>
    /// <param name="Roles">The roles of the store that the user has; null where none.</param>
    internal sealed record Identity(string StoreId, string? MovedTo, long? MovedAt, long OnlyRead, long MayProbe, long MayDiscover, string? Roles);
}
