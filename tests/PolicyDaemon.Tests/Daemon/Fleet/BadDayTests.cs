using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Store.Engines;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Fleet;

/// <summary>What happens to a server on a bad day, while a node is asked all the while: no lookup notices, and every message says what to do.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class BadDayTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-badday").FullName;
    private readonly List<IDisposable> parts = [];

    [Fact]
    public async Task A_server_that_is_down_at_the_start_and_comes_back()
    {
        var server = Start(new PostgreSqlCluster());
        var store = FleetStore.Make(server);
        await using (var before = await FleetNode.StartAsync(store.Words, directory))
            await before.StopAsync();
        server.Stop();

        await using var node = await FleetNode.StartAsync(store.Words, directory);
        Assert.False(node.Follows);
        Assert.Equal(LookupAnswerKind.Found, (await node.AskAsync(FleetNode.Known)).Kind);
        var fault = Refused(store);
        Assert.Contains("nothing listens there; is the server up", fault.Message, StringComparison.Ordinal);
        server.Start();
        store.Put("after.example");
        await node.LiveAsync("after.example");
        Assert.Empty(node.Findings);
        await node.StopAsync();
    }

    /// <summary>Every connection stays, and nothing answers: as a machine does that lost its power, or a firewall that forgot.</summary>
    [Fact]
    public async Task A_server_that_does_not_answer_any_more()
    {
        var server = Start(new PostgreSqlCluster());
        var store = FleetStore.Make(" connect_timeout=1", server);
        await using var node = await FleetNode.StartAsync(store.Words, directory);
        await node.LiveAsync(FleetNode.Known);

        server.Pause();
        await Until.TrueAsync(() => !node.Follows, what: "the node gave it up");
        Assert.Contains("does not answer in time", Refused(store).Message, StringComparison.Ordinal);
        server.Continue();

        store.Put("after.example");
        await node.LiveAsync("after.example");
        await node.StopAsync();
    }

    [Fact]
    public async Task A_pool_that_stalls_and_is_started_again_under_load()
    {
        var server = Start(new PostgreSqlCluster());
        FleetStore.Make(server);
        var bouncer = new PgBouncer(server);
        parts.Insert(0, bouncer);
        var store = new FleetStore($"postgresql:host=127.0.0.1 port={bouncer.Port} dbname=postgres user=policydaemon sslmode=disable connect_timeout=1");
        await using var node = await FleetNode.StartAsync(store.Words, directory);
        store.Put("through.example");
        await node.LiveAsync("through.example");

        bouncer.Stop();
        bouncer.Start();
        store.Put("restarted.example");
        await node.LiveAsync("restarted.example");

        bouncer.Pause();
        await Until.TrueAsync(() => !node.Follows, what: "the node gave it up");
        bouncer.Continue();
        store.Put("after.example");
        await node.LiveAsync("after.example");
        await node.StopAsync();
    }

    public void Dispose()
    {
        foreach (var part in parts)
            part.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static StoreException Refused(FleetStore store)
    {
        var fault = Assert.Throws<StoreException>(() => PolicyStore.Open(store.Words, StoreAccess.Read, TimeProvider.System));
        TestContext.Current.TestOutputHelper?.WriteLine(fault.Message);
        return fault;
    }

    private PostgreSqlCluster Start(PostgreSqlCluster server)
    {
        parts.Add(server);
        return server.Start();
    }
}
