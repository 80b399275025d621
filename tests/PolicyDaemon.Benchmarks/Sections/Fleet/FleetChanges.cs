using System.Diagnostics;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Benchmarks.Sections.Fleet;

/// <summary>Stores on the servers of the section, and changes of them from this process, each over a new connection.</summary>
internal static class FleetChanges
{
    /// <summary>An entry of every store here.</summary>
    internal const string Known = "known.example";

    /// <summary>Libpq's words for a database on servers, the primary first.</summary>
    internal static string Words(string database, string user, params PostgreSqlCluster[] servers) =>
        $"host={string.Join(',', servers.Select(_ => "127.0.0.1"))} port={string.Join(',', servers.Select(server => server.Port))} dbname={database} user={user} sslmode=disable";

    /// <summary>A database with an empty store in it, but for the entry that is asked for.</summary>
    /// <returns>Libpq's words for it.</returns>
    internal static string Make(PostgreSqlCluster server, string database)
    {
        server.Sql($"CREATE DATABASE {database} OWNER policydaemon");
        var words = Words(database, "policydaemon", server);
        PolicyStore.Create("postgresql:" + words, Actor.Daemon, TimeProvider.System).Dispose();
        Put("postgresql:" + words, Known);
        return words;
    }

    /// <summary>A server with the owner of all stores.</summary>
    internal static PostgreSqlCluster Start(params IReadOnlyList<string> settings)
    {
        var server = new PostgreSqlCluster(settings).Start();
        server.Sql("CREATE ROLE policydaemon LOGIN; GRANT ALL ON SCHEMA public TO policydaemon");
        return server;
    }

    /// <returns>When it was committed.</returns>
    internal static long Put(string database, string key)
    {
        if (!NextHop.TryParse(key, out var parsed, out var problem))
            throw new BenchmarkException(problem);
        using var store = PolicyStore.Open(database, StoreAccess.Write, TimeProvider.System);
        using var change = store.BeginChange(new ChangeOrigin(new Actor("benchmarks", null, null), "benchmarks"), PostfixSettings.Default);
        change.Put(new Destination { Key = parsed, Policy = new TlsPolicy { Level = TlsLevel.Secure } });
        change.Commit();
        return Stopwatch.GetTimestamp();
    }

    internal static bool TryPut(string database, string key)
    {
        try
        {
            Put(database, key);
            return true;
        }
        catch (StoreException fault) when (fault.Kind is StoreFault.Locked or StoreFault.Unavailable or StoreFault.ReadOnly)
        {
            return false;
        }
    }

    /// <summary>Puts an entry as soon as the store takes it.</summary>
    /// <returns>When it was committed.</returns>
    internal static async Task<long> PutWhenItGoesAsync(string database, string key)
    {
        while (!TryPut(database, key))
            await Task.Delay(20);
        return Stopwatch.GetTimestamp();
    }

    /// <returns>The time from a moment until policyd answers for a key.</returns>
    internal static async Task<TimeSpan> LiveAsync(PolicydStore store, string key, long since)
    {
        while (await Loads.Asker.AskAsync(store.Unix, key) is not { } reply || !reply.Contains(":OK ", StringComparison.Ordinal))
        {
            if (Stopwatch.GetElapsedTime(since) > TimeSpan.FromMinutes(2))
                throw new BenchmarkException($"{key} is not served after two minutes");
            await Task.Delay(5);
        }

        return Stopwatch.GetElapsedTime(since);
    }
}
