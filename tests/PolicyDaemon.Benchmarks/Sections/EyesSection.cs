using System.Globalization;
using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>The pages over a million destinations, and what it costs policyd that somebody looks at them.</summary>
internal sealed class EyesSection : ISection
{
    private const int Connections = 100;

    // As the page's own script and an eager Prometheus would, together.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public string Name => "eyes";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var rows = bench.Options.Quick ? 100_000 : 1_000_000;
        var part = new ReportPart(
            "Eyes",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{rows:N0} destinations; published policyd and policyd-web, asked over its unix socket, one request at a time. Time: from the request to the last octet. "
                    + $"Resident memory as the kernel counts it (VmRSS), shared pages included. Watched: the overview and /metrics are asked for once a second; "
                    + $"policyd's processor time per lookup with and without it in turn, {bench.Rounds} rounds of {bench.Seconds * 3} s, {Connections} connections to the unix socket."),
            "what", "measured", "spread", "aim");
        var workload = bench.Workload(rows);
        var store = await bench.NewStoreAsync("eyes", workload);
        await using var policyd = await store.StartAsync();
        await Task.Delay(TimeSpan.FromSeconds(2));
        var unwatched = policyd.ResidentKiB;
        await using (var pages = await PageServer.StartAsync(bench, store.Configuration, store.Pages))
        {
            part.Row("policyd-web, start to first page, ms", pages.FirstPage.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture), "", "");
            await MeasurePagesAsync(bench, pages, part);
            part.Row("policyd-web resident after that, MiB", MiB(pages.ResidentKiB), $"peak {MiB(pages.PeakKiB)}", "at most 35");
            await MeasureLookupsAsync(bench, store, policyd, pages, workload, part);
        }

        await MeasureIdleAsync(bench, store, policyd, unwatched, part);
        return part;
    }

    private static async Task MeasurePagesAsync(Bench bench, PageServer pages, ReportPart part)
    {
        foreach (var (path, name, most, within) in ((string, string, int, int)[])
        [
            ("/", "overview", 100, 50), ("/metrics", "/metrics", 64, 20), ("/destinations", "destinations", 100, 0),
            ("/destinations/" + Workload.Key(5), "one destination", 100, 0), ("/audit", "audit", 100, 0), ("/discovery", "discovery", 100, 0),
        ])
        {
            await MeasurePageAsync(bench, pages, part, path, name, most, within);
        }
    }

    private static async Task MeasurePageAsync(Bench bench, PageServer pages, ReportPart part, string path, string name, int most, int within)
    {
        Samples octets = new(), took = new();
        for (var round = -3; round < bench.Rounds * 10; round++)
        {
            var (size, time) = await pages.GetAsync(path);
            if (round < 0)
                continue;
            octets.Add(size / 1024.0);
            took.Add(time.TotalMilliseconds);
        }

        part.Row($"{name}, KiB", octets.Text("0.0"), octets.Spread("0.0"), string.Create(CultureInfo.InvariantCulture, $"at most {most}"));
        part.Row($"{name}, ms", took.Text("0.0"), took.Spread("0.0"), within > 0 ? string.Create(CultureInfo.InvariantCulture, $"at most {within}") : "");
    }

    private static async Task MeasureLookupsAsync(
        Bench bench, PolicydStore store, Server policyd, PageServer pages, Workload workload, ReportPart part)
    {
        Samples alone = new(), watched = new(), ratios = new();
        var load = new Load(store.Unix, workload.Keys, Connections, bench.Seconds * 3);
        await load.RunAsync(bench, policyd);
        for (var round = 0; round < bench.Rounds; round++)
        {
            var without = (await load.RunAsync(bench, policyd)).CpuMicroseconds;
            using var end = new CancellationTokenSource();
            var looking = LookAsync(pages, end.Token);
            var with = (await load.RunAsync(bench, policyd)).CpuMicroseconds;
            await end.CancelAsync();
            await looking;
            alone.Add(without);
            watched.Add(with);
            ratios.Add(with / without);
        }

        part.Row("policyd's CPU per lookup, µs, nobody looks", alone.Text(), alone.Spread(), "");
        part.Row("the same, watched", watched.Text(), watched.Spread(), "");
        part.Row("ratio", ratios.Text("0.000"), ratios.Spread("0.000"), "at most 1.02");
    }

    /// <summary>The same daemon before anybody looked and after a minute of looking; then one after another that was never asked.</summary>
    private static async Task MeasureIdleAsync(Bench bench, PolicydStore store, Server policyd, long unwatched, ReportPart part)
    {
        part.Row("policyd resident before anybody looked, MiB", MiB(unwatched), "", "");
        part.Row("the same daemon after all of the above, MiB", MiB(policyd.ResidentKiB), "", "");
        await policyd.DisposeAsync();
        Samples idle = new(), looked = new();
        for (var round = 0; round < bench.Rounds; round++)
        {
            foreach (var isWatched in (bool[])[false, true])
            {
                await using var fresh = await store.StartAsync();
                await Task.Delay(TimeSpan.FromSeconds(2));
                if (isWatched)
                {
                    await using var pages = await PageServer.StartAsync(bench, store.Configuration, store.Pages);
                    using var end = new CancellationTokenSource(TimeSpan.FromSeconds(bench.Options.Quick ? 3 : 15));
                    await LookAsync(pages, end.Token);
                }

                (isWatched ? looked : idle).Add(fresh.ResidentKiB / 1024.0);
            }
        }

        part.Row("policyd idle, never looked at, MiB", idle.Text("0.0"), idle.Spread("0.0"), "");
        part.Row("policyd idle, watched for a while, MiB", looked.Text("0.0"), looked.Spread("0.0"), "1 more at most");
    }

    private static async Task LookAsync(PageServer pages, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            await pages.GetAsync("/");
            await pages.GetAsync("/metrics");
            await Task.Delay(Pause, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static string MiB(long kib) => (kib / 1024.0).ToString("0.0", CultureInfo.InvariantCulture);
}
