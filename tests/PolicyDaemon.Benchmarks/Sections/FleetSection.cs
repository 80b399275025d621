using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>A store on PostgreSQL servers of this machine, followers in this process, programs as they are published.</summary>
internal sealed class FleetSection : ISection
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    public string Name => "fleet";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var (followers, rows) = bench.Options.Quick ? (20, 100_000) : (200, 1_000_000);
        var part = new ReportPart(
            "Fleet",
            string.Create(
                CultureInfo.InvariantCulture,
                $"PostgreSQL {Path.GetFileName(Path.GetDirectoryName(PostgreSqlCluster.Binaries))} and a standby on this machine, asynchronous, in memory and without fsync; {followers} followers in one process beside them, polling every 500 ms, "
                    + $"all on {Environment.ProcessorCount} cores: a fleet has these for each node. Server: processor time of all its processes. {rows:N0} destinations, by published programs."),
            "what", "measured", "spread", "aim");
        using var primary = new PostgreSqlCluster(["max_wal_size=4GB", "autovacuum=on"]).Start();
        primary.Sql("CREATE ROLE policydaemon LOGIN; GRANT ALL ON SCHEMA public TO policydaemon");
        using (var standby = primary.MakeStandby().Start())
            await MeasureFollowersAsync(bench, part, followers, primary, standby);
        using var large = new PostgreSqlCluster(["max_wal_size=4GB", "shared_buffers=128MB"]).Start();
        large.Sql("CREATE ROLE policydaemon LOGIN; GRANT ALL ON SCHEMA public TO policydaemon");
        await MeasureMillionAsync(bench, part, rows, large);
        return part;
    }

    private static string Words(params PostgreSqlCluster[] servers) =>
        $"host={string.Join(',', servers.Select(_ => "127.0.0.1"))} port={string.Join(',', servers.Select(server => server.Port))} dbname=postgres user=policydaemon sslmode=disable";

    private static async Task MeasureFollowersAsync(Bench bench, ReportPart part, int count, PostgreSqlCluster primary, PostgreSqlCluster standby)
    {
        var database = "postgresql:" + Words(primary, standby);
        PolicyStore.Create(database, Actor.Daemon, TimeProvider.System).Dispose();
        await MeasureWritersAsync(bench, part, database);
        using var stop = new CancellationTokenSource();
        var loaders = new List<SnapshotLoader>();
        var running = new List<Task>();
        for (var number = 0; number < count; number++)
        {
            var loader = new SnapshotLoader(
                new SnapshotLoaderOptions(database, Path.Combine(bench.Directory, $"follower-{number}")), PostfixSettings.Default, TimeProvider.System, NullLogger<SnapshotLoader>.Instance);
            loader.Start();
            loaders.Add(loader);
            running.Add(loader.RunAsync(stop.Token));
        }

        try
        {
            await AllLiveAsync(loaders, Put(database, "warm.example"), "warm.example");
            await MeasureIdleAsync(bench, part, count, primary);
            await MeasureLiveAsync(bench, part, database, loaders);
            await MeasureFailoverAsync(part, database, loaders, primary, standby);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(running);
            loaders.ForEach(loader => loader.Dispose());
        }
    }

    private static async Task MeasureWritersAsync(Bench bench, ReportPart part, string database)
    {
        var (writers, changes) = bench.Options.Quick ? (10, 20) : (50, 200);
        var clock = Stopwatch.StartNew();
        await Parallel.ForEachAsync(Enumerable.Range(0, writers), new ParallelOptions { MaxDegreeOfParallelism = writers }, (writer, _) =>
        {
            for (var number = 0; number < changes; number++)
            {
                while (!TryPut(database, $"w{writer}-{number}.example"))
                {
                }
            }

            return ValueTask.CompletedTask;
        });
        var took = clock.Elapsed;
        using var store = PolicyStore.Open(database, StoreAccess.Read, TimeProvider.System);
        var verified = store.VerifyAudit();
        if (!verified.IsSound || verified.Head != store.Head() || verified.Rows != store.Head().Sequence || store.Count() != writers * changes)
            throw new BenchmarkException($"the chain is not sound and dense: {verified.Problem}, {verified.Rows} rows, head {store.Head().Sequence}, {store.Count()} entries");
        part.Row(
            string.Create(CultureInfo.InvariantCulture, $"{writers} writers, {changes} changes each: changes a second, each over a new connection"),
            (writers * changes / took.TotalSeconds).ToString("0", CultureInfo.InvariantCulture), "", "chain sound, dense, head the last row's: checked");
    }

    private static async Task MeasureIdleAsync(Bench bench, ReportPart part, int count, PostgreSqlCluster primary)
    {
        var load = new Samples();
        for (var round = 0; round < bench.Rounds; round++)
        {
            var (clock, before) = (Stopwatch.StartNew(), primary.ProcessorSeconds);
            await Task.Delay(TimeSpan.FromSeconds(bench.Options.Quick ? 2 : 10));
            load.Add((primary.ProcessorSeconds - before) / clock.Elapsed.TotalSeconds * 100);
        }

        part.Row(string.Create(CultureInfo.InvariantCulture, $"{count} followers, nothing changes: % of one core of the server"), load.Text(), load.Spread(), "below 5");
    }

    private static async Task MeasureLiveAsync(Bench bench, ReportPart part, string database, List<SnapshotLoader> loaders)
    {
        var times = new List<double>();
        for (var round = 0; round < (bench.Options.Quick ? 5 : 40); round++)
        {
            await Task.Delay(137 * round % 500);
            var key = $"live{round}.example";
            times.AddRange(await AllLiveAsync(loaders, Put(database, key), key));
        }

        times.Sort();
        part.Row("commit until served by a follower, polled, ms, median", Text(times[times.Count / 2]), $"{Text(times[0])} to {Text(times[^1])}", "");
        part.Row("the same, 99th percentile", Text(times[times.Count * 99 / 100]), "", "below 1000");
    }

    private static async Task MeasureFailoverAsync(ReportPart part, string database, List<SnapshotLoader> loaders, PostgreSqlCluster primary, PostgreSqlCluster standby)
    {
        await Task.Delay(TimeSpan.FromSeconds(2));
        var served = loaders.Count(loader => loader.Current?.Find("warm.example") is not null);
        primary.Kill();
        await Task.Delay(TimeSpan.FromSeconds(1));
        standby.Promote();
        var clock = Stopwatch.StartNew();
        while (!TryPut(database, "failover.example"))
            await Task.Delay(20);
        var written = clock.Elapsed;
        var times = await AllLiveAsync(loaders, Stopwatch.GetTimestamp(), "failover.example");
        part.Row("standby promoted until policyctl could write, s", written.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture), "", "");
        part.Row("from then until every follower served it, s", (times.Max() / 1000).ToString("0.00", CultureInfo.InvariantCulture), "", "at most 5");
        part.Row(
            "followers without an answer after it", (served - loaders.Count(loader => loader.Current?.Find("warm.example") is not null)).ToString(CultureInfo.InvariantCulture), "", "0");
    }

    private static async Task MeasureMillionAsync(Bench bench, ReportPart part, int rows, PostgreSqlCluster server)
    {
        var workload = bench.Workload(rows);
        server.Sql("CREATE DATABASE moved OWNER policydaemon");
        var store = new PolicydStore(bench, Path.Combine(bench.Directory, "large")) { Words = Words(server) };
        await store.InitAsync();
        part.Row("import with policyctl, s", await TimeAsync(() => store.ImportAsync(workload.Table)), "", "at most 60");
        await using (var policyd = await store.StartAsync(isPinned: false))
        {
            var clock = Stopwatch.StartNew();
            while (!(await Loads.Asker.AskAsync(store.Unix, Loads.Workload.Key(rows - 1)))!.Contains("OK ", StringComparison.Ordinal))
                await Task.Delay(20);
            part.Row("full load without a snapshot file, until all of it is answered, s", (policyd.FirstAnswer + clock.Elapsed).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture), "", "at most 30");
            part.Row("policyd's peak, MiB", (policyd.PeakKiB / 1024.0).ToString("0", CultureInfo.InvariantCulture), "", "at most 400");
        }

        var file = Path.Combine(bench.Directory, "moved.db");
        part.Row("store migrate to a file, s", await TimeAsync(() => MigrateAsync(bench, store.Configuration, file)), "", "at most 120");
        var back = new PolicydStore(bench, Path.Combine(bench.Directory, "back"));
        Directory.CreateDirectory(Path.GetDirectoryName(back.Database)!);
        await File.WriteAllTextAsync(back.Configuration, $"[store]\ndatabase = {file}\n[probe]\nenabled = no\n");
        part.Row(
            "store migrate from there to another database, s",
            await TimeAsync(() => MigrateAsync(bench, back.Configuration, "postgresql:" + Words(server).Replace("dbname=postgres", "dbname=moved", StringComparison.Ordinal))), "", "at most 120");
    }

    private static Task<string> MigrateAsync(Bench bench, string configuration, string to) =>
        Run.AsyncOrThrow(bench.Program("policyctl"), ["--config", configuration, "store", "migrate", "--to", to, "--reason", "measured"]);

    private static async Task<string> TimeAsync(Func<Task> work)
    {
        var clock = Stopwatch.StartNew();
        await work();
        return clock.Elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
    }

    /// <returns>For each follower the milliseconds from a moment until it served the key.</returns>
    private static async Task<List<double>> AllLiveAsync(List<SnapshotLoader> loaders, long since, string key)
    {
        var (waiting, times, deadline) = (new List<SnapshotLoader>(loaders), new List<double>(), TimeSpan.FromMinutes(2));
        while (waiting.Count > 0)
        {
            waiting.RemoveAll(loader =>
            {
                if (loader.Current?.Find(key) is null)
                    return false;
                times.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
                return true;
            });
            if (Stopwatch.GetElapsedTime(since) > deadline)
                throw new BenchmarkException($"{waiting.Count} followers do not serve {key} after {deadline}: {waiting[0].Findings.FirstOrDefault()?.Detail}");
            await Task.Delay(Step);
        }

        return times;
    }

    /// <returns>When it was committed.</returns>
    private static long Put(string database, string key)
    {
        if (!NextHop.TryParse(key, out var parsed, out var problem))
            throw new BenchmarkException(problem);
        using var store = PolicyStore.Open(database, StoreAccess.Write, TimeProvider.System);
        using var change = store.BeginChange(new ChangeOrigin(new Actor("benchmarks", null, null), "benchmarks"), PostfixSettings.Default);
        change.Put(new Destination { Key = parsed, Policy = new TlsPolicy { Level = TlsLevel.Secure } });
        change.Commit();
        return Stopwatch.GetTimestamp();
    }

    private static bool TryPut(string database, string key)
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

    private static string Text(double milliseconds) => milliseconds.ToString("0", CultureInfo.InvariantCulture);
}
