using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Store.Migrations;
using PolicyDaemon.Store.Rows;

namespace PolicyDaemon.Store;

/// <summary>Decides whether a database is a store that this program may use.</summary>
[DapperAot]
internal static class StoreVersion
{
    /// <returns>The store's identity.</returns>
    internal static string Check(SqliteConnection connection, string path, StoreAccess access)
    {
        if (connection.ExecuteScalar<long>("PRAGMA application_id") != StoreConnection.ApplicationId)
            throw new StoreException(StoreFault.NotAStore, $"{path}: an SQLite database, but not a store of PolicyDaemon; check the path");
        var version = Migration.VersionOf(connection);
        if (version > Migration.Newest)
        {
            throw new StoreException(StoreFault.Newer, string.Create(
                CultureInfo.InvariantCulture,
                $"{path}: written by a newer version of PolicyDaemon (schema {version}, this one knows {Migration.Newest}); install that version again, or restore a backup made before the upgrade"));
        }

        if (version < Migration.Newest && access == StoreAccess.Read)
            throw new StoreException(StoreFault.Older, $"{path}: written by an older version of PolicyDaemon; bring it up to date: start policyd, or run policyctl init");
        if (version < Migration.Newest)
            Upgrade(connection);
        return connection.QueryFirstOrDefault<string>("SELECT store_id FROM store WHERE id = 1")
            ?? throw StoreFaults.Damaged(path, "it has no identity");
    }

    internal static bool CheckIntegrity(SqliteConnection connection, string path)
    {
        var problem = connection.Query<string>("PRAGMA integrity_check(1)").ToList().FirstOrDefault(line => line != "ok");
        if (problem is not null)
            throw ReadingFault.Judge(path, problem, null, connection);
        var orphans = connection.Query<NameRow>("SELECT \"table\" AS Name FROM pragma_foreign_key_check LIMIT 1").ToList();
        return orphans.Count == 0 ? true : throw StoreFaults.Damaged(path, $"a row of {orphans[0].Name} refers to one that is not there");
    }

    private static void Upgrade(SqliteConnection connection)
    {
        // A table is altered by making it anew, and dropping the old one would delete what refers to it (https://www.sqlite.org/lang_altertable.html,
        // section 7). Inside a transaction the setting cannot be changed.
        connection.Execute("PRAGMA foreign_keys = OFF");
        connection.Execute("BEGIN IMMEDIATE");
        Migration.Apply(connection);
        connection.Execute("COMMIT");
        connection.Execute("PRAGMA foreign_keys = ON");
    }
}
