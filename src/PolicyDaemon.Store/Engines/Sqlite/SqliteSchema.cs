using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>Decides whether a database is a store that this program may use, and brings an older one up to date.</summary>
/// <remarks>
/// The schema is what the files <c>Migrations/NNNN.sql</c> lead to, one after the other, forward only. Each ends by noting in
/// <c>schema_version</c> which programs can still read and write what it made: an older program goes on serving a newer store as long
/// as it can read it. (Versions 1 and 2 had no such table; their number is PRAGMA user_version, which is kept for the programs of then.)
/// </remarks>
internal static class SqliteSchema
{
    // Primary result code SQLITE_CONSTRAINT of sqlite3.h.
    private const int Constraint = 19;

    // PRAGMA application_id: "PolD", so that file(1) and we know the file for what it is.
    private const long ApplicationId = 0x506f6c44;

    /// <summary>All migrations, in order.</summary>
    internal static IReadOnlyList<Migration> Migrations { get; } = Migration.Of("Sqlite");

    /// <summary>The version that this program writes.</summary>
    internal static long Newest => Migrations[^1].Version;

    internal static void Check(SqliteConnection connection, string path, StoreAccess access)
    {
        if (connection.ExecuteScalar<long>("PRAGMA application_id") != ApplicationId)
            throw new StoreException(StoreFault.NotAStore, $"{path}: an SQLite database, but not a store of PolicyDaemon; check the path");
        var found = VersionOf(connection);
        found.RefuseNewer(path, access, Newest);
        if (found.Version >= Newest)
            return;
        if (access == StoreAccess.Read)
            throw new StoreException(StoreFault.Older, $"{path}: written by an older version of PolicyDaemon; bring it up to date: start policyd, or run policyctl init");
        Upgrade(connection, path);
    }

    /// <summary>Makes the newest schema in an empty database. The caller holds a transaction.</summary>
    internal static void Create(SqliteConnection connection)
    {
        connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}"));
        Apply(connection);
    }

    internal static SchemaVersion VersionOf(SqliteConnection connection)
    {
        var version = connection.ExecuteScalar<long>("PRAGMA user_version");
        // A number beyond what the table speaks of is a program's that says nothing of its readers: nobody older may read it.
        if (connection.ExecuteScalar<long>("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'") > 0
            && connection.QueryFirstOrDefault<SchemaVersion>(
                "SELECT version, readable_from, writable_from FROM schema_version ORDER BY version DESC LIMIT 1") is { } noted
            && noted.Version >= version)
            return noted;
        return new SchemaVersion(version, version, version);
    }

    /// <summary>Brings a store to <paramref name="target"/>, the newest version by default. The caller holds a transaction.</summary>
    internal static void Apply(SqliteConnection connection, long? target = null)
    {
        var version = VersionOf(connection).Version;
        foreach (var migration in Migrations.Where(step => step.Version > version && step.Version <= (target ?? Newest)))
        {
            connection.Execute(migration.Sql);
            connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {migration.Version}"));
        }
    }

    private static void Upgrade(SqliteConnection connection, string path)
    {
        // A table is altered by making it anew, and dropping the old one would delete what refers to it
        // (https://www.sqlite.org/lang_altertable.html, section 7). Inside a transaction the setting cannot be changed.
        connection.Execute("PRAGMA foreign_keys = OFF");
        connection.Execute("BEGIN IMMEDIATE");
        try
        {
            Apply(connection);
        }
        catch (SqliteException error) when (error.SqliteErrorCode == Constraint)
        {
            // What the older schema let somebody write past the programs, and this one does not.
            throw StoreException.Damaged(path, $"it cannot be brought up to date: {error.Message}", error);
        }

        connection.Execute("COMMIT");
        connection.Execute("PRAGMA foreign_keys = ON");
    }
}
