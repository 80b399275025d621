using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Store;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Daemon.Fleet;

/// <summary>A store on servers of a test's own, and a person who changes it.</summary>
internal sealed class FleetStore(string words)
{
    internal static readonly Actor Alice = new("root", "alice", "alice");

    /// <summary>The store, as the configuration names it.</summary>
    internal string Words { get; } = words;

    /// <summary>Makes the user and the store on servers, with the entry that every node is asked for.</summary>
    /// <param name="servers">The servers, the primary first.</param>
    internal static FleetStore Make(params PostgreSqlCluster[] servers) => Make("", servers);

    /// <param name="more">Further words.</param>
    internal static FleetStore Make(string more, params PostgreSqlCluster[] servers)
    {
        var made = new FleetStore(more.Contains("dbname=", StringComparison.Ordinal) ? WordsOf(servers).Replace(" dbname=postgres", more, StringComparison.Ordinal) : WordsOf(servers) + more);
        servers[0].Sql("CREATE ROLE policydaemon LOGIN");
        servers[0].Sql("GRANT ALL ON SCHEMA public TO policydaemon", System.Text.RegularExpressions.Regex.Match(made.Words, "dbname=(\\w+)").Groups[1].Value);
        PolicyStore.Create(made.Words, Alice, TimeProvider.System).Dispose();
        made.Put(FleetNode.Known);
        return made;
    }

    internal static string WordsOf(params PostgreSqlCluster[] servers) =>
        $"postgresql:host={string.Join(',', servers.Select(_ => "127.0.0.1"))} port={string.Join(',', servers.Select(server => server.Port))} dbname=postgres user=policydaemon sslmode=disable";

    internal ChangeReceipt Put(string key, TimeSpan? patience = null) => Change(change => change.Put(TemporaryStore.Secure(key)), null, patience);

    internal ChangeReceipt Remove(string key) => Change(change => change.Remove(NextHop.Parse(key)), "gone");

    internal ChangeReceipt Change(Action<StoreChange> work, string? reason, TimeSpan? patience = null)
    {
        using var opened = PolicyStore.Open(Words, StoreAccess.Write, TimeProvider.System, patience);
        using var change = opened.BeginChange(new ChangeOrigin(Alice, "policyctl test", reason), PostfixSettings.Default);
        work(change);
        return change.Commit();
    }

    internal PolicyStore Open() => PolicyStore.Open(Words, StoreAccess.Read, TimeProvider.System);
}
