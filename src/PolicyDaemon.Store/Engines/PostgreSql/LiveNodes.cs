using System.Data.Common;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>The daemons that follow a store now, as far as an upgrade has to know.</summary>
internal static class LiveNodes
{
    /// <summary>Those whose program could not read the store any more.</summary>
    /// <param name="connection">In the transaction of the upgrade.</param>
    /// <param name="readableFrom">The oldest version whose programs can read it from now on.</param>
    /// <returns>Their names, each with what it runs.</returns>
    internal static IReadOnlyList<string> OlderThan(DbConnection connection, long readableFrom) => [];
}
