using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Daemon;
using PolicyDaemon.Daemon.Logging;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Clients;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Store;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

/// <summary>Two policyd on one PostgreSQL: a change is live on both, and lookups go on without the server.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class SharedStoreTests : IDisposable
{
    private readonly string store = PostgreSqlServer.Instance.CreateDatabase();
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-shared").FullName;
    private readonly LogSink log = new(new LogLine(TimeProvider.System, forJournal: true), _ => { });

    public SharedStoreTests() => PolicyStore.Create(store, Actor.Daemon, TimeProvider.System).Dispose();

    [Fact]
    public async Task A_change_is_live_on_both_and_both_go_on_without_the_server()
    {
        Put("a.example");
        using var one = await StartAsync("one");
        using var two = await StartAsync("two");
        Assert.Equal(["secure", "secure"], await AskAsync("a.example", one, two));

        Put("b.example");
        await LiveAsync("b.example", one, two);

        PostgreSqlServer.Instance.RenameDatabase(store, store + "_away");
        await Until.TrueAsync(() => Problems(one) && Problems(two), what: "both say that the store is away");
        Assert.Equal(["secure", "secure"], await AskAsync("b.example", one, two));

        // A node that starts meanwhile answers from its file.
        await StopAsync(two);
        using var again = await StartAsync("two");
        Assert.Equal(["secure", "secure"], await AskAsync("b.example", one, again));

        PostgreSqlServer.Instance.RenameDatabase(store + "_away", store);
        Put("c.example");
        await LiveAsync("c.example", one, again);
        Assert.False(Problems(one) || Problems(again));
        await StopAsync(one);
        await StopAsync(again);
    }

    [Fact]
    public async Task A_change_wakes_whoever_listens()
    {
        using var news = EngineChoice.For(store).Listen()!;
        // The first one says that it listens.
        await Until.TrueAsync(() => news.Came.WaitOne(0), what: "it listens");
        Assert.False(news.Came.WaitOne(0));

        Put("a.example");

        await Until.TrueAsync(() => news.Came.WaitOne(0), what: "it heard of the change");
        Assert.Null(EngineChoice.For(Path.Combine(directory, "policy.db")).Listen());
    }

    public void Dispose()
    {
        log.Dispose();
        PostgreSqlServer.Instance.DropDatabase(store);
        Directory.Delete(directory, recursive: true);
    }

    private static bool Problems(IHost node) => node.Services.GetRequiredService<SnapshotLoader>().Status is not { } status || !status.IsOfStore();

    private static Task StopAsync(IHost node) => node.StopAsync(TestContext.Current.CancellationToken).WaitAsync(Until.Deadline, TestContext.Current.CancellationToken);

    private static async Task LiveAsync(string key, params IHost[] nodes)
    {
        foreach (var node in nodes)
            await Until.TrueAsync(() => node.Services.GetRequiredService<SnapshotLoader>().Current?.Find(key) is not null, what: $"{key} is live");
        Assert.All(await AskAsync(key, nodes), answer => Assert.Equal("secure", answer));
    }

    private static async Task<List<string>> AskAsync(string key, params IHost[] nodes)
    {
        var answers = new List<string>();
        foreach (var node in nodes)
        {
            Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, node.Services.GetRequiredService<LookupServer>().Listening[0], out var endpoint, out _));
            answers.Add((await SocketmapClient.AskAsync(endpoint, "tlspolicy", key, Until.Deadline, TimeProvider.System, TestContext.Current.CancellationToken)).Answer.Text);
        }

        return answers;
    }

    private void Put(string key)
    {
        using var opened = PolicyStore.Open(store, StoreAccess.Write, TimeProvider.System);
        using var change = opened.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default);
        change.Put(TemporaryStore.Secure(key));
        change.Commit();
    }

    private async Task<IHost> StartAsync(string node)
    {
        var file = Path.Combine(directory, node + ".conf");
        await File.WriteAllTextAsync(
            file,
            $"""
            [lookup]
            socketmap = inet:127.0.0.1:0
            tcp_table =
            [store]
            engine = postgresql
            node = {node}
            postgresql = {store["postgresql:".Length..]}
            database = {directory}/{node}.db
            [probe]
            enabled = no

            """,
            TestContext.Current.CancellationToken);
        var settings = SettingsReader.Load(file);
        var host = DaemonHost.Build(settings, Endpoints.From(settings), [], log);
        await host.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }
}
