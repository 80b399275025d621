using System.Data.Common;
using System.Globalization;
using Dapper;
using Npgsql;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Decides whether a database holds a store that this program may use, and makes one.</summary>
/// <remarks>The schema is what the files <c>Migrations/NNNN.sql</c> lead to. The first makes at once what those of SQLite with the numbers up to it
/// made by and by.</remarks>
internal static class PostgreSqlSchema
{
    // Any number that others are not likely to lock: "PolD", as SQLite's application_id has it.
    private const long MakingLock = 0x506f6c44;

    /// <summary>All migrations, in order.</summary>
    internal static IReadOnlyList<Migration> Migrations { get; } = Migration.Of("PostgreSql");

    /// <summary>The version that this program writes.</summary>
    internal static long Newest => Migrations[^1].Version;

    internal static bool Exists(DbConnection connection) =>
        connection.ExecuteScalar<string>("SELECT to_regclass('schema_version')::text") is not null;

    internal static void Check(DbConnection connection, string path, StoreAccess access)
    {
        var found = VersionOf(connection, path);
        found.RefuseNewer(path, access, Newest);
        if (found.Version < Newest)
            throw new StoreException(StoreFault.Unavailable, string.Create(CultureInfo.InvariantCulture, $"{path}: of schema {found.Version}, which this version of PolicyDaemon does not know any more; use the version that wrote it"));
    }

    /// <summary>Makes the newest schema in a database without a store.</summary>
    /// <param name="fill">Writes what belongs into a new store, inside the transaction, which it commits.</param>
    internal static void Create(DbConnection connection, string path, Action fill)
    {
        if (connection.ExecuteScalar<string>("SELECT current_setting('server_encoding')") is var encoding && encoding != "UTF8")
            throw new StoreException(StoreFault.Unavailable, $"{path}: the database has the encoding {encoding}; make it with encoding UTF8 (createdb --encoding=UTF8 --template=template0)");
        connection.Execute("BEGIN");
        connection.Execute("SELECT pg_advisory_xact_lock(@MakingLock)", new { MakingLock });
        if (Exists(connection))
            throw new StoreException(StoreFault.Exists, $"{path}: already there, nothing was touched; 'policyctl status' shows what it holds");
        foreach (var migration in Migrations)
            connection.Execute(migration.Sql);
        fill();
    }

    private static SchemaVersion VersionOf(DbConnection connection, string path)
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
}
