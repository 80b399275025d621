using System.Data.Common;
using Dapper;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Discovery;

/// <summary>The policies that postfix-mta-sts-resolver keeps in its SQLite cache (its sqlite_cache.py, versions 0.3 to 1.5).</summary>
/// <remarks><code>
/// sts_policy_cache (domain text, ts integer, pol_id text, pol_body text)      pol_body: {"version": "STSv1", "mode": …, "max_age": …, "mx": […]}
/// </code></remarks>
public static class ResolverCache
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>True where the file is a database and no text, by its first octets.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static bool IsDatabase(string path) => EngineChoice.IsForeign(path);

    /// <summary>The policies of a cache in the order of their domains, streaming. Nothing in the file is changed.</summary>
    /// <param name="path">The cache.</param>
    /// <param name="longest">Octets of a value at most; a row with a longer body comes without it.</param>
    /// <exception cref="StoreException">It cannot be read, or is no such cache.</exception>
    public static IEnumerable<CachedPolicyRow> Read(string path, long longest)
    {
        using var connection = Try(path, () => EngineChoice.OpenForeign(path, Patience));
        using var rows = Try(path, () => Rows(connection, longest).GetEnumerator());
        while (Try(path, rows.MoveNext))
            yield return rows.Current;
    }

    private static IEnumerable<CachedPolicyRow> Rows(DbConnection connection, long longest) => connection.Query<CachedPolicyRow>(
        """
        SELECT CAST(domain AS text) AS domain, CAST(ts AS integer) AS fetched,
            CASE WHEN length(pol_body) <= @longest THEN CAST(pol_body AS text) END AS body
        FROM sts_policy_cache WHERE length(domain) <= @longest ORDER BY domain
        """,
        new { longest }, buffered: false);

    private static T Try<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception fault) when (fault is DbException or StoreException)
        {
            var detail = fault.InnerException is DbException inner ? inner.Message : fault.Message;
            throw new StoreException(
                StoreFault.NotAStore, $"{path}: it cannot be read as a cache of postfix-mta-sts-resolver ({detail}); name the file of its cache section, or a copy of it that you may write", fault);
        }
    }
}

/// <summary>A policy as postfix-mta-sts-resolver keeps it.</summary>
/// <param name="Domain">The policy domain.</param>
/// <param name="Fetched">When it was fetched last, Unix seconds.</param>
/// <param name="Body">The policy as JSON; null where it is too long.</param>
public sealed record CachedPolicyRow(string? Domain, long Fetched, string? Body);
