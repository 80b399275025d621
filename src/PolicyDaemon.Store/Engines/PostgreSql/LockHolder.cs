using System.Data.Common;
using System.Globalization;
using Dapper;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Who holds a lock that others wait for, for a message to a person.</summary>
internal static class LockHolder
{
    /// <summary>Says who holds the strongest and oldest lock on a table of the store.</summary>
    /// <remarks>Users other than the superuser see of other users' sessions who and what they are, and not what they do.</remarks>
    /// <returns>Null where nobody does any more, or the server does not say.</returns>
    internal static string? Find(DbConnection connection)
    {
        try
        {
            return connection.QueryFirstOrDefault<Holder>(
                """
                SELECT CAST(a.pid AS BIGINT) AS process, CAST(a.usename AS TEXT) AS user_name, a.application_name AS program, host(a.client_addr) AS address,
                       CAST(extract(epoch FROM clock_timestamp() - a.xact_start) AS BIGINT) AS seconds, left(a.query, 100) AS query,
                       min(l.mode) AS mode, min(CAST(l.relation::regclass AS TEXT)) AS locked
                FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.granted AND l.locktype = 'relation' AND l.mode NOT IN ('AccessShareLock', 'SIReadLock') AND a.pid <> pg_backend_pid()
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND l.relation IN (SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('audit_head')))
                GROUP BY a.pid, a.usename, a.application_name, a.client_addr, a.xact_start, a.query
                ORDER BY max(CASE WHEN l.mode = 'AccessExclusiveLock' THEN 1 ELSE 0 END) DESC, a.xact_start NULLS LAST LIMIT 1
                """) is { } holder
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
            $"{holder.UserName ?? "somebody"}{program}{from} holds {holder.Mode} on {holder.Locked}{since}, process {holder.Process} of the server{does}");
    }

    /// <summary>A session that holds a lock.</summary>
    internal sealed record Holder(
        long Process, string? UserName, string? Program, string? Address, long? Seconds, string? Query, string? Mode, string? Locked);
}
