using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections.Fleet;

/// <summary>One policyd with 500 destinations on a server, and one with them in a file, in turn: what it takes when idle, and how it starts without the server.</summary>
internal static class FleetMemory
{
    private const int Rows = 500;

    // The start's own garbage has been given back by then.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    internal static async Task MeasureAsync(Bench bench, ReportPart part)
    {
        using var server = FleetChanges.Start();
        var workload = bench.Workload(Rows);
        var shared = new PolicydStore(bench, Path.Combine(bench.Directory, "idle")) { Words = FleetChanges.Words("postgres", "policydaemon", server) };
        await shared.InitAsync();
        await shared.ImportAsync(workload.Table);
        var own = await bench.NewStoreAsync("idle-file", workload);

        var (resident, beside) = (new Samples(), new Samples());
        for (var round = 0; round < bench.Rounds; round++)
        {
            resident.Add(await ResidentAsync(shared));
            beside.Add(await ResidentAsync(own));
        }

        part.Row("policyd idle with PostgreSQL, MiB", resident.Text("0.0"), resident.Spread("0.0"), "at most 30");
        part.Row("the same with SQLite", beside.Text("0.0"), beside.Spread("0.0"), "");
        part.Row("the program's file, MiB", (new FileInfo(bench.Program("policyd")).Length / 1048576.0).ToString("0.0", CultureInfo.InvariantCulture), "", "4 more at most by PostgreSQL");

        server.Stop();
        var (down, file) = (new Samples(), new Samples());
        var (downCpu, fileCpu) = (new Samples(), new Samples());
        for (var round = 0; round < 2 * bench.Rounds; round++)
        {
            await StartAsync(shared, down, downCpu);
            await StartAsync(own, file, fileCpu);
        }

        part.Row("start to first answer with the server down, ms", down.Text("0"), down.Spread("0"), "as with SQLite");
        part.Row("the same with SQLite", file.Text("0"), file.Spread("0"), "");
        part.Row("processor time until then with the server down, ms", downCpu.Text("0"), downCpu.Spread("0"), "");
        part.Row("the same with SQLite", fileCpu.Text("0"), fileCpu.Spread("0"), "");
    }

    private static async Task<double> ResidentAsync(PolicydStore store)
    {
        await using var policyd = await store.StartAsync();
        await FleetChanges.LiveAsync(store, Loads.Workload.Key(1), Stopwatch.GetTimestamp());
        await Task.Delay(Settled);
        return policyd.ResidentKiB / 1024.0;
    }

    private static async Task StartAsync(PolicydStore store, Samples times, Samples cpu)
    {
        await using var policyd = await store.StartAsync();
        if (await Loads.Asker.AskAsync(store.Unix, Loads.Workload.Key(1)) is not { } reply || !reply.Contains(":OK ", StringComparison.Ordinal))
            throw new BenchmarkException($"the first answer after a start is not the right one: {store.Configuration}");
        times.Add(policyd.FirstAnswer.TotalMilliseconds);
        cpu.Add(policyd.CpuToFirstAnswer.TotalMilliseconds);
    }
}
