using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Benchmarks.Sections.Fleet;

/// <summary>The followers of many nodes in this process; and, where they are nodes, their heartbeats and their looks at the lease.</summary>
internal sealed class FleetFollowers : IAsyncDisposable
{
    private const int NodesOfAThread = 25;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource leave = new();
    private readonly List<SnapshotLoader> loaders = [];
    private readonly List<Task> running = [];
    private readonly List<Task> beating = [];

    /// <param name="notify">Changes wake them.</param>
    internal FleetFollowers(Bench bench, string database, int count, bool notify = false)
    {
        for (var number = 0; number < count; number++)
        {
            var options = new SnapshotLoaderOptions(database, Path.Combine(bench.Directory, $"follower-{number}")) { Notify = notify };
            var loader = new SnapshotLoader(options, PostfixSettings.Default, TimeProvider.System, NullLogger<SnapshotLoader>.Instance);
            loader.Start();
            loaders.Add(loader);
            running.Add(loader.RunAsync(stop.Token));
        }
    }

    internal int Count => loaders.Count;

    internal int Serving(string key) => loaders.Count(loader => loader.Current?.Find(key) is not null);

    /// <summary>Each is a node of the fleet from now on.</summary>
    internal void BeginToBeat(string database) => beating.AddRange(Enumerable.Range(0, Count).Chunk(NodesOfAThread).Select(numbers => Task.Factory.StartNew(
        () => Beat(database, numbers), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

    internal async Task EndToBeatAsync()
    {
        await leave.CancelAsync();
        await Task.WhenAll(beating);
        beating.Clear();
    }

    /// <returns>For each follower the milliseconds from a moment until it served the key.</returns>
    internal async Task<List<double>> AllLiveAsync(string key, long since)
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

    /// <summary>Changes one after the other, each until all serve it.</summary>
    internal async Task MeasureLiveAsync(Bench bench, ReportPart part, string database, string how, string aim)
    {
        var times = new List<double>();
        for (var round = 0; round < (bench.Options.Quick ? 5 : 40); round++)
        {
            await Task.Delay(137 * round % 500);
            var key = $"{how}{round}.example";
            times.AddRange(await AllLiveAsync(key, FleetChanges.Put(database, key)));
        }

        times.Sort();
        part.Row(
            string.Create(CultureInfo.InvariantCulture, $"commit until served by each of {Count} followers, {how}, ms, median"),
            Text(times[times.Count / 2]), $"{Text(times[0])} to {Text(times[^1])}", "");
        part.Row("the same, 99th percentile", Text(times[times.Count * 99 / 100]), "", aim);
    }

    public async ValueTask DisposeAsync()
    {
        await EndToBeatAsync();
        await stop.CancelAsync();
        await Task.WhenAll(running);
        loaders.ForEach(loader => loader.Dispose());
        stop.Dispose();
        leave.Dispose();
    }

    private static string Text(double milliseconds) => milliseconds.ToString("0", CultureInfo.InvariantCulture);

    private void Beat(string database, int[] numbers)
    {
        var leases = numbers.Select(number => new ProberLease("default", $"mx{number}", FleetInstance.New(), TimeProvider.System)).ToList();
        var members = numbers.Select((number, at) => new FleetMember(database, $"mx{number}", "default", FleetInstance.New(), "0", leases[at], TimeProvider.System, Random.Shared)).ToList();
        try
        {
            // One after the other, evenly over the second that a node waits.
            while (!leave.IsCancellationRequested)
            {
                for (var at = 0; at < members.Count; at++)
                {
                    StepOne(members[at], loaders[numbers[at]]);
                    if (leave.Token.WaitHandle.WaitOne(Tick / members.Count))
                        return;
                }
            }
        }
        finally
        {
            members.ForEach(member => member.Dispose());
            leases.ForEach(lease => lease.Dispose());
        }

        static void StepOne(FleetMember member, SnapshotLoader loader)
        {
            try
            {
                member.Step(new NodeFacts(MayProbe: true, "sha256", loader.Status?.Sequence), []);
            }
            catch (StoreException)
            {
                // The next time.
            }
        }
    }
}
