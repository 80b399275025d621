using System.Data.Common;
using Dapper;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>The daemons that follow a store now, as far as an upgrade has to know.</summary>
internal static class LiveNodes
{
    // As long as nothing was heard of a node until it is called stale.
    private const long LiveMilliseconds = 60_000;

    /// <summary>Those whose program could not read the store any more.</summary>
    /// <param name="connection">In the transaction of the upgrade.</param>
    /// <param name="readableFrom">The oldest version whose programs can read it from now on.</param>
    /// <returns>Their names, each with what it runs.</returns>
    internal static IReadOnlyList<string> OlderThan(DbConnection connection, long readableFrom) =>
        // Programs of the versions before had no such table.
        connection.ExecuteScalar<string>("SELECT to_regclass('node')::text") is null
            ? []
            : connection.Query<string>(
                "SELECT name || ' (' || version || ')' FROM node WHERE schema < @readableFrom AND seen > CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) - @live ORDER BY name",
                new { readableFrom, live = LiveMilliseconds }).ToList();
}
