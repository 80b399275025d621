using System.Data.Common;
using System.Globalization;
using Dapper;
using Npgsql;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Brings the tables of a store on a server up to date, all of it or nothing: what <c>policyctl store upgrade</c> asks for, and nothing else does.</summary>
/// <remarks>
/// <code>
/// another upgrade, or a store in the making     waited for, by the lock of both; then it is said who holds it
/// writers                                       waited for, by the end of the audit log, which is locked
/// who reads or holds a table                    waited for, a lock_timeout long: whoever comes later would wait behind the upgrade
/// a live node that could not read it any more   nothing is changed; a program serves on from what it loaded, and would learn of no change
/// </code>
/// Each of these is one transaction's, so that it works through a pool, too.
/// </remarks>
internal static class PostgreSqlUpgrade
{
    // An index over a million rows takes a minute.
    private const int CommandSeconds = 3600;

    /// <summary>Brings it up to date.</summary>
    /// <param name="migrations">The steps, the last of which it is brought to; a test has others.</param>
    /// <param name="dryRun">Does it, and takes it back.</param>
    /// <param name="patience">How long each of the others is waited for.</param>
    internal static SchemaChange Run(PostgreSqlConnection connection, string path, IReadOnlyList<Migration> migrations, bool dryRun, TimeSpan patience)
    {
        var newest = migrations[^1].Version;
        var before = PostgreSqlSchema.VersionOf(connection, path);
        before.RefuseNewer(path, StoreAccess.Write, newest);
        if (before.Version >= newest)
            return new SchemaChange(before.Version, before.Version);
        connection.CommandSeconds = CommandSeconds;
        connection.Execute("BEGIN");
        try
        {
            connection.Execute(string.Create(CultureInfo.InvariantCulture, $"SET LOCAL lock_timeout = {Math.Max(1, (long)patience.TotalMilliseconds)}"));
            connection.Execute("SELECT pg_advisory_xact_lock(@MakingLock)", new { PostgreSqlSchema.MakingLock });
            // Whoever was waited for may have done it.
            before = PostgreSqlSchema.VersionOf(connection, path);
            if (before.Version >= newest)
            {
                connection.Execute("ROLLBACK");
                return new SchemaChange(before.Version, before.Version);
            }

            ActAsOwner(connection, path);
            connection.Execute("SELECT sequence FROM audit_head WHERE id = 1 FOR UPDATE");
            foreach (var migration in migrations.Where(step => step.Version > before.Version))
                connection.Execute(migration.Sql);
            RefuseOverOlder(connection, path, before);
            PostgreSqlSchema.Grant(connection);
            connection.Execute(dryRun ? "ROLLBACK" : "COMMIT");
            return new SchemaChange(before.Version, newest);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            connection.Execute("ROLLBACK");
            throw new StoreException(
                StoreFault.Locked,
                $"{path}: {LockHolder.Find(connection, withReaders: true) ?? "another program holds the store"}; it was waited for, and nothing was changed. Wait until that has ended, or end it, then run this command again", error);
        }
    }

    private static void ActAsOwner(DbConnection connection, string path)
    {
        var owner = connection.QueryFirstOrDefault<OwnerRow>(
            """
            SELECT pg_get_userbyid(c.relowner)::text AS name, format('%I', pg_get_userbyid(c.relowner)) AS quoted, current_user::text AS me,
                   CASE WHEN pg_has_role(c.relowner, 'MEMBER') THEN 1 ELSE 0 END AS may
            FROM pg_class c WHERE c.oid = to_regclass('schema_version')
            """)!;
        if (owner.May == 0)
        {
            throw new StoreException(
                StoreFault.Permission,
                $"{path}: the user {owner.Me} may not alter the tables, which belong to {owner.Name}; run this as a user of that role, or let the administrator of the server make this one such: GRANT {owner.Quoted} TO {owner.Me}");
        }

        if (owner.Name != owner.Me)
            Run(connection, $"SET LOCAL ROLE {owner.Quoted}");
    }

    private static void RefuseOverOlder(DbConnection connection, string path, SchemaVersion before)
    {
        var after = PostgreSqlSchema.VersionOf(connection, path);
        if (after.ReadableFrom <= before.ReadableFrom || LiveNodes.OlderThan(connection, after.ReadableFrom) is not { Count: > 0 } older)
            return;
        connection.Execute("ROLLBACK");
        throw new StoreException(
            StoreFault.Locked,
            $"{path}: {string.Join(", ", older)} could not read the store any more and would serve what it has loaded, without any change that comes; nothing was changed. Install this version there first, or stop policyd there, then run this command again");
    }

    private static void Run(DbConnection connection, string sql) => ((PostgreSqlConnection)connection).Run(sql);

    internal sealed record OwnerRow(string Name, string Quoted, string Me, long May);
}
