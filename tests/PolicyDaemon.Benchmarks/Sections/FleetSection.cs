using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Benchmarks.Sections.Fleet;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>A store on PostgreSQL servers of this machine, followers in this process, programs as they are published.</summary>
/// <remarks>What only waits (an outage of ten minutes, leases that run out) goes on beside the rest, but for what is timed closely.</remarks>
internal sealed class FleetSection : ISection
{
    private readonly Stopwatch clock = Stopwatch.StartNew();

    public string Name => "fleet";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var (count, rows) = bench.Options.Quick ? (20, 100_000) : (200, 1_000_000);
        var part = new ReportPart(
            "Fleet",
            string.Create(
                CultureInfo.InvariantCulture,
                $"PostgreSQL {Path.GetFileName(Path.GetDirectoryName(PostgreSqlCluster.Binaries))} and a standby on this machine, asynchronous, in memory and without fsync; {count} followers in one process beside them, polling every 500 ms, "
                    + $"all on {Environment.ProcessorCount} cores: a fleet has these for each node. Server: processor time of all its processes. {rows:N0} destinations, by published programs, which are asked for an entry a hundred times a second each where failed lookups are counted: TEMP, another answer or none."),
            "what", "measured", "spread", "aim");
        await using var outage = await FleetOutage.StartAsync(bench);
        using var primary = FleetChanges.Start("max_wal_size=4GB", "autovacuum=on", "max_connections=900");
        using var standby = primary.MakeStandby(["max_connections=900"]).Start();
        await MeasureFollowersAsync(bench, part, count, primary, standby);
        Say("memory and starts");
        await FleetMemory.MeasureAsync(bench, part);
        Say($"{rows:N0} destinations");
        await FleetMillion.MeasureAsync(bench, part, rows);
        await outage.EndAsync(part, bench.Options.Quick ? TimeSpan.FromSeconds(20) : TimeSpan.FromMinutes(10));
        Say("done");
        return part;
    }

    private async Task MeasureFollowersAsync(Bench bench, ReportPart part, int count, PostgreSqlCluster primary, PostgreSqlCluster standby)
    {
        var database = "postgresql:" + FleetChanges.Words("postgres", "policydaemon", primary, standby);
        PolicyStore.Create(database, Actor.Daemon, TimeProvider.System).Dispose();
        Say("writers");
        await MeasureWritersAsync(bench, part, database);
        Say($"{count} followers");
        await using (var followers = new FleetFollowers(bench, database, count))
        {
            await followers.AllLiveAsync(FleetChanges.Known, FleetChanges.Put(database, FleetChanges.Known));
            followers.BeginToBeat(database);
            using (var others = FleetChanges.Start("max_connections=900"))
            {
                Say("probers, idle load, an upgrade, a pool");
                var probers = Task.Run(() => FleetProbers.MeasureAsync(bench, others));
                await MeasureIdleAsync(bench, part, count, primary);
                await followers.EndToBeatAsync();
                await FleetUpgrade.MeasureAsync(bench, part, others);
                await FleetFailover.MeasurePoolAsync(bench, part, others);
                part.More.Add(await probers);
            }

            Say("changes, polled");
            await followers.MeasureLiveAsync(bench, part, database, "polled", "below 1000");
            Say("failover");
            await FleetFailover.MeasureAsync(bench, part, followers, primary, standby);
        }

        database = "postgresql:" + FleetChanges.Words("postgres", "policydaemon", standby);
        await using var woken = new FleetFollowers(bench, database, count, notify: true);
        await woken.AllLiveAsync("again.example", FleetChanges.Put(database, "again.example"));
        Say("changes, with notify");
        await woken.MeasureLiveAsync(bench, part, database, "notified", "below 200");
    }

    private static async Task MeasureWritersAsync(Bench bench, ReportPart part, string database)
    {
        var (writers, changes) = bench.Options.Quick ? (10, 20) : (50, 200);
        var took = Stopwatch.StartNew();
        // A thread each: what is waited for is the server, not the pool.
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Factory.StartNew(
            () =>
            {
                for (var number = 0; number < changes; number++)
                {
                    while (!FleetChanges.TryPut(database, $"w{writer}-{number}.example"))
                    {
                    }
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        took.Stop();
        using var store = PolicyStore.Open(database, StoreAccess.Read, TimeProvider.System);
        var verified = store.VerifyAudit();
        if (!verified.IsSound || verified.Head != store.Head() || verified.Rows != store.Head().Sequence || store.Count() != writers * changes)
            throw new BenchmarkException($"the chain is not sound and dense: {verified.Problem}, {verified.Rows} rows, head {store.Head().Sequence}, {store.Count()} entries");
        part.Row(
            string.Create(CultureInfo.InvariantCulture, $"{writers} writers, {changes} changes each: changes a second, each over a new connection"),
            (writers * changes / took.Elapsed.TotalSeconds).ToString("0", CultureInfo.InvariantCulture), "", "chain sound, dense, head the last row's: checked");
    }

    private static async Task MeasureIdleAsync(Bench bench, ReportPart part, int count, PostgreSqlCluster primary)
    {
        // Every heartbeat is among it, and the connections of the start are not.
        await Task.Delay(TimeSpan.FromSeconds(bench.Options.Quick ? 2 : 15));
        var (took, before) = (Stopwatch.StartNew(), primary.ProcessorSeconds);
        await Task.Delay(TimeSpan.FromSeconds(bench.Options.Quick ? 10 : 60));
        part.Row(
            string.Create(CultureInfo.InvariantCulture, $"{count} nodes, nothing changes: % of one core of the server, over {took.Elapsed.TotalSeconds:0} s"),
            ((primary.ProcessorSeconds - before) / took.Elapsed.TotalSeconds * 100).ToString("0.0", CultureInfo.InvariantCulture), "", "below 5");
    }

    private void Say(string what) => Console.Error.WriteLine($"-- fleet, {clock.Elapsed.TotalSeconds:0} s: {what}");
}
