using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Store.Engines;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Fleet;

/// <summary>Servers that Patroni leads: nodes follow whoever is the primary, one of them through PgBouncers, asked all the while; nothing acknowledged is lost.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class PatroniTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-patroni").FullName;
    private readonly PatroniCluster cluster = new();
    private readonly List<PgBouncer> bouncers = [];

    [Fact]
    public async Task Nodes_follow_a_switchover_and_a_failover_by_themselves()
    {
        await Until.TrueAsync(() => cluster.Primary is not null, what: "there is a primary");
        await SynchronousAsync();
        var store = cluster.MakeStore();
        await using var one = await FleetNode.StartAsync(store.Words, directory + "/one");
        bouncers.AddRange(cluster.Ports.Select(port => new PgBouncer(port)));
        await using var two = await FleetNode.StartAsync(PatroniCluster.WordsOf([.. bouncers.Select(bouncer => bouncer.Port)]), directory + "/two");
        store.Put("before.example");
        await LiveAsync("before.example");

        var first = cluster.Primary;
        await cluster.SwitchOverAsync();
        await Until.TrueAsync(() => cluster.Primary is { } now && now != first, what: "the other one is the primary");
        await PutAsync("switched.example");
        await LiveAsync("switched.example");

        await SynchronousAsync();
        var second = cluster.Primary;
        store.Put("last.example");
        cluster.KillPrimary();
        await Until.TrueAsync(() => cluster.Primary is { } now && now != second, what: "Patroni has promoted the other one");
        await PutAsync("failed-over.example");
        await LiveAsync("failed-over.example");

        await LiveAsync("last.example");
        using (var opened = store.Open())
        {
            Assert.Null(opened.VerifyAudit().Problem);
            Assert.Equal(opened.Head().Sequence, opened.VerifyAudit().Rows);
        }

        await Until.TrueAsync(() => one.Findings.Count + two.Findings.Count == 0, what: "nothing is left to say");
        await one.StopAsync();
        await two.StopAsync();

        async Task LiveAsync(string key)
        {
            await one.LiveAsync(key);
            await two.LiveAsync(key);
        }

        Task SynchronousAsync() => Until.TrueAsync(cluster.IsSynchronous, what: "the standby is synchronous");

        Task PutAsync(string key) => Until.TrueAsync(() => Succeeds(() => store.Put(key)), what: $"{key} is written");
    }

    public void Dispose()
    {
        bouncers.ForEach(bouncer => bouncer.Dispose());
        cluster.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static bool Succeeds(Action work)
    {
        try
        {
            work();
            return true;
        }
        catch (StoreException)
        {
            return false;
        }
    }
}
