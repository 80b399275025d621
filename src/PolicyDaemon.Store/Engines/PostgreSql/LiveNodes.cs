using System.Data.Common;
using Dapper;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>The daemons that follow a store now, as far as an upgrade has to know.</summary>
internal static class LiveNodes
{
    // Five heartbeats: who said nothing for so long is gone, or learns of it when it is back.
    private const long ThereFor = 60_000;

    /// <summary>Those whose program could not read the store any more.</summary>
    /// <param name="connection">In the transaction of the upgrade.</param>
    /// <param name="readableFrom">The oldest version whose programs can read it from now on.</param>
    /// <returns>Their names, each with what it runs.</returns>
    internal static IReadOnlyList<string> OlderThan(DbConnection connection, long readableFrom) => connection.Query<string>(
        "SELECT name || ' (version ' || version || ')' FROM node WHERE seen > " + PostgreSqlFleet.Clock + " - @ThereFor AND coalesce(schema, 11) < @readableFrom ORDER BY name",
        new { ThereFor, readableFrom }).ToList();
}
