using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Benchmarks.Sections.Fleet;

/// <summary>A policyd whose server is away for ten minutes, beside what else is measured meanwhile.</summary>
internal sealed class FleetOutage : IAsyncDisposable
{
    private readonly PostgreSqlCluster server;
    private readonly PolicydStore store;
    private readonly Server policyd;
    private readonly LookupWatch watch;
    private readonly long began = Stopwatch.GetTimestamp();

    private FleetOutage(PostgreSqlCluster server, PolicydStore store, Server policyd)
    {
        (this.server, this.store, this.policyd) = (server, store, policyd);
        watch = new LookupWatch(store.Unix, FleetChanges.Known);
    }

    internal static async Task<FleetOutage> StartAsync(Bench bench)
    {
        var server = FleetChanges.Start();
        var store = new PolicydStore(bench, Path.Combine(bench.Directory, "outage")) { Words = FleetChanges.Make(server, "outage") };
        var policyd = await store.StartAsync(isAlone: false, isPinned: false);
        await FleetChanges.LiveAsync(store, FleetChanges.Known, Stopwatch.GetTimestamp());
        var outage = new FleetOutage(server, store, policyd);
        server.Stop();
        return outage;
    }

    /// <summary>Waits until it has lasted long enough, and starts the server again.</summary>
    internal async Task EndAsync(ReportPart part, TimeSpan lasts)
    {
        if (Stopwatch.GetElapsedTime(began) is var past && past < lasts)
        {
            Console.Error.WriteLine($"-- fleet: {(lasts - past).TotalSeconds:0} s more without the server");
            await Task.Delay(lasts - past);
        }

        var away = Stopwatch.GetElapsedTime(began);
        server.Start();
        var followed = await FleetChanges.LiveAsync(store, "after.example", await FleetChanges.PutWhenItGoesAsync("postgresql:" + store.Words, "after.example"));
        part.Row(
            string.Create(CultureInfo.InvariantCulture, $"{away.TotalMinutes:0.0} minutes without the server: failed lookups of {watch.Asked}"),
            watch.Failed.ToString(CultureInfo.InvariantCulture), watch.First ?? "", "0");
        part.Row("its return: from the first change until that is served, s", followed.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture), "", "at most 5");
    }

    public async ValueTask DisposeAsync()
    {
        await watch.DisposeAsync();
        await policyd.DisposeAsync();
        server.Dispose();
    }
}
