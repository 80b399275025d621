using System.Data.Common;
using System.Globalization;
using Dapper;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Who holds a lock that others wait for, for a message to a person.</summary>
internal static class LockHolder
{
    /// <summary>Says who holds the strongest and oldest lock on a table of the store, or makes or upgrades one.</summary>
    /// <param name="withReaders">A reader is in the way, too, as it is of whoever alters tables.</param>
    /// <remarks>Users other than the superuser see of other users' sessions who and what they are, and not what they do.</remarks>
    /// <returns>Null where nobody does any more, or the server does not say.</returns>
    internal static string? Find(DbConnection connection, bool withReaders = false)
    {
        try
        {
            return connection.QueryFirstOrDefault<Holder>(
                """
                SELECT CAST(a.pid AS BIGINT) AS process, CAST(a.usename AS TEXT) AS user_name, a.application_name AS program, host(a.client_addr) AS address,
                       CAST(extract(epoch FROM clock_timestamp() - a.xact_start) AS BIGINT) AS seconds, left(a.query, 100) AS query,
                       min(l.mode) AS mode, min(CAST(l.relation::regclass AS TEXT)) AS locked
                FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.granted AND a.pid <> pg_backend_pid() AND l.mode <> 'SIReadLock' AND (@withReaders = 1 OR l.mode <> 'AccessShareLock')
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND ((l.locktype = 'advisory' AND l.classid = 0 AND CAST(l.objid AS BIGINT) = @makingLock)
                       OR l.relation IN (SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('audit_head'))))
                GROUP BY a.pid, a.usename, a.application_name, a.client_addr, a.xact_start, a.query
                ORDER BY max(CASE WHEN l.locktype = 'advisory' THEN 3 WHEN l.mode = 'AccessExclusiveLock' THEN 2 WHEN l.mode <> 'AccessShareLock' THEN 1 ELSE 0 END) DESC,
                         a.xact_start NULLS LAST LIMIT 1
                """,
                new { withReaders = withReaders ? 1L : 0L, makingLock = PostgreSqlSchema.MakingLock }) is { } holder
                ? Say(holder)
                : null;
        }
        catch (DbException)
        {
            return null;
        }
    }

    private static string Say(Holder holder)
    {
        var since = holder.Seconds is { } seconds ? string.Create(CultureInfo.InvariantCulture, $" for {seconds} s") : "";
        var from = holder.Address is null ? "" : $" from {holder.Address}";
        var program = holder.Program is null or "" ? "" : $" with {holder.Program}";
        var does = holder.Query is null or "" or "<insufficient privilege>" ? "" : $": {holder.Query.ReplaceLineEndings(" ")}";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{holder.UserName ?? "somebody"}{program}{from} holds {holder.Mode} on {holder.Locked ?? "the making of the tables"}{since}, process {holder.Process} of the server{does}");
    }

    /// <summary>A session that holds a lock.</summary>
    internal sealed record Holder(
        long Process, string? UserName, string? Program, string? Address, long? Seconds, string? Query, string? Mode, string? Locked);
}
