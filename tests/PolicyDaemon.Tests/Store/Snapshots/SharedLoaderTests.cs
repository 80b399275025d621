using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Daemon.Fleet;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Snapshots;

/// <summary>The loader over a store that others keep as well, poll by poll.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class SharedLoaderTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-shared").FullName;
    private readonly string store = PostgreSqlServer.Instance.CreateDatabase();
    private readonly SettableClock time = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
    private readonly FleetStore fleet;

    public SharedLoaderTests()
    {
        PolicyStore.Create(store, Actor.Daemon, TimeProvider.System).Dispose();
        fleet = new FleetStore(store);
        fleet.Put("a.example");
    }

    /// <summary>A restart of the server, or a failover, is nothing that a person is told of; one that lasts is.</summary>
    [Fact]
    public void A_server_that_is_away_is_a_finding_after_a_minute()
    {
        using var cluster = new PostgreSqlCluster().Start();
        var away = FleetStore.Make(cluster);
        using var loader = Loader(away.Words);
        cluster.Stop();

        loader.Poll();
        Assert.False(loader.Status!.IsOfStore());
        time.Advance(TimeSpan.FromSeconds(59));
        loader.Poll();
        Assert.Empty(loader.Findings);

        time.Advance(TimeSpan.FromSeconds(2));
        loader.Poll();
        Assert.Equal(FindingKind.StoreUnavailable, Assert.Single(loader.Findings).Kind);

        cluster.Start();
        loader.Poll();
        Assert.True(loader.Status!.IsOfStore());
        Assert.Empty(loader.Findings);
    }

    /// <summary>What a newer version made of the store is followed where that says that it can be; otherwise the old answers stay.</summary>
    [Fact]
    public void A_store_that_is_upgraded_meanwhile_is_followed_while_it_can_be_read()
    {
        using var loader = Loader(store);
        Sql("INSERT INTO schema_version VALUES (999, 10, 999)");
        PutAsNewer("b.example");
        loader.Poll();
        Assert.NotNull(loader.Current!.Find("b.example"));
        Assert.Empty(loader.Findings);
        // And whoever starts then.
        using (var later = Loader(store))
            Assert.NotNull(later.Current!.Find("b.example"));

        Sql("INSERT INTO schema_version VALUES (1000, 1000, 1000)");
        PutAsNewer("c.example");
        loader.Poll();
        Assert.Null(loader.Current!.Find("c.example"));
        Assert.NotNull(loader.Current!.Find("b.example"));
        var finding = Assert.Single(loader.Findings);
        TestContext.Current.TestOutputHelper?.WriteLine(finding.Detail);
        Assert.Equal(FindingKind.StoreUnavailable, finding.Kind);
        Assert.Contains("schema 1000", finding.Detail, StringComparison.Ordinal);
        Assert.Contains("install that version on this machine, too", finding.Detail, StringComparison.Ordinal);

        void PutAsNewer(string key)
        {
            // As the newer version writes.
            Sql("CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM schema_version; DELETE FROM schema_version WHERE version > 100");
            fleet.Put(key);
            Sql("INSERT INTO schema_version SELECT * FROM kept WHERE version > 100; DROP TABLE kept");
        }
    }

    /// <summary>Ninth in a row: eight read everything already, in their transactions.</summary>
    [Fact]
    public void Whoever_reads_everything_waits_for_a_turn_and_serves_what_it_has()
    {
        var busy = new List<StoreSession>();
        Action<Action> nested = work => work();
        for (var number = 0; number < 8; number++)
        {
            var session = PolicyDaemon.Store.Engines.Choice.EngineChoice.For(store).OpenToReadAll(TimeSpan.FromSeconds(1));
            busy.Add(session);
            var within = nested;
            nested = work => within(() => Assert.True(session.TryInTurn(work)));
        }

        SnapshotLoader? loader = null;
        try
        {
            nested(() =>
            {
                loader = Loader(store);
                Assert.Null(loader.Current);
                loader.Poll();
                Assert.Null(loader.Current);
                Assert.Empty(loader.Findings);
            });
            loader!.Poll();
            Assert.NotNull(loader.Current!.Find("a.example"));
        }
        finally
        {
            loader?.Dispose();
            busy.ForEach(session => session.Dispose());
        }
    }

    /// <summary>Clocks of machines differ; the order is that of the log.</summary>
    [Fact]
    public void A_change_by_a_machine_whose_clock_is_a_day_behind_is_live_with_the_next_poll()
    {
        using var loader = Loader(store);
        var behind = new SettableClock(TimeProvider.System.GetUtcNow().AddDays(-1));
        using (var opened = PolicyStore.Open(store, StoreAccess.Write, behind))
        {
            using var change = opened.BeginChange(new PolicyDaemon.Store.Changes.ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default);
            change.Put(TemporaryStore.Secure("b.example"));
            change.Commit();
        }

        loader.Poll();

        Assert.NotNull(loader.Current!.Find("b.example"));
        using var read = fleet.Open();
        Assert.Null(read.VerifyAudit().Problem);
    }

    public void Dispose()
    {
        PostgreSqlServer.Instance.DropDatabase(store);
        Directory.Delete(directory, recursive: true);
    }

    private SnapshotLoader Loader(string of)
    {
        var loader = new SnapshotLoader(
            new SnapshotLoaderOptions(of, Path.Combine(directory, Guid.NewGuid().ToString("N"))) { Patience = TimeSpan.FromMilliseconds(200) },
            PostfixSettings.Default, time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        return loader;
    }

    private void Sql(string sql)
    {
        using var connection = PostgreSqlServer.Instance.Connect(store);
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
