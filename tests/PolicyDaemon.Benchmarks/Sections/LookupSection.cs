using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>policyd beside the yardstick, which answers a constant: what is not the sockets' cost is ours.</summary>
internal sealed class LookupSection : ISection
{
    private const int Rows = 1_000;
    private static readonly (int Connections, bool AskOnce)[] Loads = [(1, false), (16, false), (100, false), (1_000, false), (100, true)];

    public string Name => "lookups";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var part = new ReportPart(
            "Lookups",
            $"{Rows} rows, half of the questions hit, one question under way per connection. Yardstick (y) and policyd (p) in turn, "
                + $"{bench.Rounds} rounds of {bench.Seconds} s; medians, ratios p/y with the smallest and the largest. CPU: the server's, per request.\n\n"
                + "Asked once: each connection is made, asks and is closed. Aims: CPU at most 1.35 times the yardstick's on the unix socket and 1.2 times on "
                + "TCP at 100 connections, 1.8 and 1.35 times at 1,000, 1.6 and 1.3 times asked once; 99th percentile at most 1.4 times.",
            "endpoint", "connections", "y requests/s", "p requests/s", "ratio", "y CPU µs", "p CPU µs", "ratio", "y 99 % µs", "p 99 % µs", "ratio");
        var workload = bench.Workload(Rows);
        var store = await bench.NewStoreAsync("lookups", workload);
        await using var policyd = await store.StartAsync();
        foreach (var endpoint in (Endpoint[])[store.Unix, store.Tcp, store.TcpTable])
        {
            var (yardstick, its) = await bench.StartYardstickAsync(endpoint);
            await using var ended = yardstick;
            // The yardstick answers every key alike; there is nothing to check but the frame.
            var anything = Path.Combine(bench.Directory, "unchecked-keys");
            await File.WriteAllTextAsync(anything, (await File.ReadAllTextAsync(workload.Keys)).Replace("\tM", "\t-", StringComparison.Ordinal));
            foreach (var (connections, askOnce) in Loads)
            {
                Samples[] y = [new(), new(), new()], p = [new(), new(), new()], ratios = [new(), new(), new()];
                for (var round = 0; round < bench.Rounds; round++)
                {
                    var constant = Figures(await new Load(its, anything, connections, bench.Seconds) { AsksOnce = askOnce }.RunAsync(bench, yardstick));
                    var ours = Figures(await new Load(endpoint, workload.Keys, connections, bench.Seconds) { AsksOnce = askOnce }.RunAsync(bench, policyd));
                    for (var figure = 0; figure < 3; figure++)
                    {
                        y[figure].Add(constant[figure]);
                        p[figure].Add(ours[figure]);
                        ratios[figure].Add(ours[figure] / constant[figure]);
                    }
                }

                part.Row(
                    endpoint.Name, askOnce ? $"{connections}, asked once" : $"{connections}", y[0].Text("0"), p[0].Text("0"), ratios[0].WithSpread(),
                    y[1].Text(), p[1].Text(), ratios[1].WithSpread(), y[2].Text("0"), p[2].Text("0"), ratios[2].WithSpread());
            }
        }

        return part;
    }

    private static double[] Figures(LoadSample sample) => [sample.PerSecond, sample.CpuMicroseconds, sample.LateMicroseconds];
}
