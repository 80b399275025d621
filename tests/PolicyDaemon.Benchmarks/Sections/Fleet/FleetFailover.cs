using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Tests.Store.Engines;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Benchmarks.Sections.Fleet;

/// <summary>A primary that is killed and a standby that is promoted, under many followers and two policyd that are asked; and a PgBouncer that is started again.</summary>
internal static class FleetFailover
{
    private static readonly TimeSpan Replicated = TimeSpan.FromSeconds(2);

    internal static async Task MeasureAsync(Bench bench, ReportPart part, FleetFollowers followers, PostgreSqlCluster primary, PostgreSqlCluster standby)
    {
        var words = FleetChanges.Words("postgres", "policydaemon", primary, standby);
        var stores = Enumerable.Range(1, 2).Select(number => new PolicydStore(bench, Path.Combine(bench.Directory, $"failover{number}")) { Words = words, Node = $"policyd{number}" }).ToList();
        await using var one = await stores[0].StartAsync(isAlone: false, isPinned: false);
        await using var two = await stores[1].StartAsync(isAlone: false, isPinned: false);
        foreach (var store in stores)
            await FleetChanges.LiveAsync(store, FleetChanges.Known, Stopwatch.GetTimestamp());
        await using var first = new LookupWatch(stores[0].Unix, FleetChanges.Known);
        await using var second = new LookupWatch(stores[1].Unix, FleetChanges.Known);
        await Task.Delay(Replicated);
        var served = followers.Serving(FleetChanges.Known);

        primary.Kill();
        await Task.Delay(TimeSpan.FromSeconds(1));
        standby.Promote();
        var clock = Stopwatch.StartNew();
        var written = await FleetChanges.PutWhenItGoesAsync("postgresql:" + words, "failover.example");
        part.Row("primary killed, standby promoted: from then until policyctl could write, s", clock.Elapsed.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture), "", "");
        var times = await followers.AllLiveAsync("failover.example", written);
        foreach (var store in stores)
            times.Add((await FleetChanges.LiveAsync(store, "failover.example", written)).TotalMilliseconds);
        part.Row("from there until every follower served it, s", (times.Max() / 1000).ToString("0.00", CultureInfo.InvariantCulture), "", "at most 5");
        part.Row("followers without an answer after it", (served - followers.Serving(FleetChanges.Known)).ToString(CultureInfo.InvariantCulture), "", "0");
        part.Row(
            string.Create(CultureInfo.InvariantCulture, $"failed lookups meanwhile, of {first.Asked + second.Asked}"),
            (first.Failed + second.Failed).ToString(CultureInfo.InvariantCulture), first.First ?? second.First ?? "", "0");
    }

    internal static async Task MeasurePoolAsync(Bench bench, ReportPart part, PostgreSqlCluster server)
    {
        var words = FleetChanges.Make(server, "pooled");
        using var bouncer = new PgBouncer(server);
        var store = new PolicydStore(bench, Path.Combine(bench.Directory, "pooled")) { Words = words.Replace($"port={server.Port}", $"port={bouncer.Port}", StringComparison.Ordinal) };
        await using var policyd = await store.StartAsync(isAlone: false, isPinned: false);
        await FleetChanges.LiveAsync(store, FleetChanges.Known, Stopwatch.GetTimestamp());
        await using var watch = new LookupWatch(store.Unix, FleetChanges.Known);
        var times = new Samples();
        for (var round = 0; round < bench.Rounds; round++)
        {
            bouncer.Stop();
            await Task.Delay(TimeSpan.FromSeconds(1));
            bouncer.Start();
            var key = $"pooled{round}.example";
            times.Add((await FleetChanges.LiveAsync(store, key, await FleetChanges.PutWhenItGoesAsync("postgresql:" + store.Words, key))).TotalSeconds);
        }

        part.Row("PgBouncer, in transaction mode, started again: from the first change until that is served, s", times.Text(), times.Spread(), "at most 5");
        part.Row(
            string.Create(CultureInfo.InvariantCulture, $"failed lookups meanwhile, of {watch.Asked}"), watch.Failed.ToString(CultureInfo.InvariantCulture), watch.First ?? "", "0");
    }
}
