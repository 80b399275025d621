using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Fleet;

/// <summary>A primary is killed and its standby promoted by hand, while nodes are asked all the while.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class FailoverTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-failover").FullName;
    private readonly PostgreSqlCluster primary = new();
    private PostgreSqlCluster? standby;

    [Fact]
    public async Task Nodes_follow_the_new_primary_and_nobody_notices()
    {
        var store = Begin();
        await using var one = await FleetNode.StartAsync(store.Words, directory + "/one");
        await using var two = await FleetNode.StartAsync(store.Words, directory + "/two");
        store.Put("before.example");
        await ReplicatedAsync();

        primary.Kill();
        // A standby is read, and takes no writes.
        await Until.TrueAsync(() => one.Follows && two.Follows, what: "both read from the standby");
        standby!.Promote();
        store.Put("after.example");

        await one.LiveAsync("after.example");
        await two.LiveAsync("after.example");
        using (var opened = store.Open())
            Assert.Null(opened.VerifyAudit().Problem);
        await Until.TrueAsync(() => one.Findings.Count + two.Findings.Count == 0, what: "nothing is left to say");
        await one.StopAsync();
        await two.StopAsync();
    }

    /// <summary>The standby is promoted without the last rows: who had loaded them names them, goes on with them, and asks a person, also after a restart.</summary>
    [Fact]
    public async Task What_a_failover_lost_is_named_and_given_up_by_a_person_once_for_all()
    {
        var store = Begin();
        store.Put("before.example");
        await using var one = await FleetNode.StartAsync(store.Words, directory + "/one");
        await using var two = await FleetNode.StartAsync(store.Words, directory + "/two");
        await one.LiveAsync("before.example");
        await two.LiveAsync("before.example");
        await ReplicatedAsync();
        long kept;
        using (var opened = store.Open())
        {
            kept = opened.Head().Sequence;
            Assert.Contains("synchronous_standby_names is empty at 127.0.0.1", opened.FailoverRisk, StringComparison.Ordinal);
        }

        standby!.Stop();
        store.Put("lost.example");
        store.Remove("before.example");
        await Until.TrueAsync(() => one.Loader.Current!.Find("before.example") is null && two.Loader.Current!.Find("before.example") is null, what: "both have the last rows");
        primary.Kill();
        standby.Start();
        standby.Promote();
        store.Put("after.example");

        await Until.TrueAsync(() => Told(one) is not null && Told(two) is not null, what: "both say that rows were lost");
        var told = Told(one)!;
        TestContext.Current.TestOutputHelper?.WriteLine(told.Detail);
        Assert.Contains($"behind row {kept} it lacks 2 rows", told.Detail, StringComparison.Ordinal);
        Assert.Contains("alice (sudo, root) add lost.example", told.Detail, StringComparison.Ordinal);
        Assert.Contains("alice (sudo, root) remove before.example", told.Detail, StringComparison.Ordinal);
        Assert.Equal($"policyctl store accept --after {kept} --dry-run", told.Remedy);
        Assert.Equal(LookupAnswerKind.Found, (await one.AskAsync("lost.example")).Kind);
        Assert.Equal(LookupAnswerKind.NotFound, (await one.AskAsync("before.example")).Kind);

        await two.StopAsync();
        await using var again = await FleetNode.StartAsync(store.Words, directory + "/two");
        await Until.TrueAsync(() => Told(again) is not null, what: "it is said again after a restart");
        Assert.Equal(told.Detail, Told(again)!.Detail);
        Assert.Equal(LookupAnswerKind.Found, (await again.AskAsync("lost.example")).Kind);

        // Beyond the fork nothing is given up; an acceptance of another row is about something else.
        store.Change(change => Assert.True(change.AcceptAfter(kept + 1)), "not this");
        store.Put("more.example");
        store.Change(change => Assert.True(change.AcceptAfter(kept)), "db1 died before db2 had its last rows");
        foreach (var node in (FleetNode[])[one, again])
        {
            await node.LiveAsync("more.example");
            await Until.TrueAsync(() => node.Findings.Count == 0, what: "the finding ends");
            Assert.Equal(LookupAnswerKind.NotFound, (await node.AskAsync("lost.example")).Kind);
            Assert.Equal(LookupAnswerKind.Found, (await node.AskAsync("before.example")).Kind);
            await node.StopAsync();
        }
    }

    public void Dispose()
    {
        standby?.Dispose();
        primary.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static Finding? Told(FleetNode node) => node.Findings.FirstOrDefault(finding => finding.Kind == FindingKind.StoreReplaced);

    private FleetStore Begin()
    {
        primary.Start();
        standby = primary.MakeStandby().Start();
        return FleetStore.Make(primary, standby);
    }

    private Task ReplicatedAsync()
    {
        var written = (string)primary.Sql("SELECT pg_current_wal_insert_lsn()::text")!;
        return Until.TrueAsync(() => (bool)standby!.Sql($"SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn")!, what: "the standby has all");
    }
}
