using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>A million destinations, a fifth of them with pins.</summary>
internal sealed class ScaleSection : ISection
{
    // A moderate load, so that what is measured is disturbance and not the queue: 16 connections, some 3,000 questions a second.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);

    public string Name => "scale";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var rows = bench.Options.Quick ? 100_000 : 1_000_000;
        var part = new ReportPart(
            "Scale",
            string.Create(CultureInfo.InvariantCulture, $"{rows:N0} destinations, 20 % with a pin, the others with two names to match. Resident memory as the kernel counts it (VmRSS)."),
            "what", "measured", "spread", "aim");
        var workload = bench.Workload(rows);
        var small = await bench.NewStoreAsync("hundred", bench.Workload(100));
        var store = await bench.NewStoreAsync("scale");

        var sleeping = await MeasureImportAsync(bench, store, workload, part);
        await MeasureStartAsync(bench, store, rows, sleeping, part);
        await using (var policyd = await store.StartAsync())
        {
            await MeasureLiveAsync(bench, store, part);
            await MeasureChangesAsync(bench, store, policyd, workload, part);
        }

        await MeasureCostAsync(bench, small, store, workload, part);
        return part;
    }

    /// <returns>The idle daemon's resident memory in KiB, before there was anything to answer.</returns>
    private static async Task<long> MeasureImportAsync(Bench bench, PolicydStore store, Workload workload, ReportPart part)
    {
        await using var policyd = await store.StartAsync();
        await Task.Delay(TimeSpan.FromSeconds(1));
        var sleeping = policyd.ResidentKiB;
        var nobody = Path.Combine(bench.Directory, "nobody");
        await File.WriteAllTextAsync(nobody, "nobody.example\tM\n");
        var quiet = await new Load(store.Unix, nobody, 16, bench.Seconds * 3) { Pace = Pace }.RunAsync(bench, policyd);

        var clock = Stopwatch.StartNew();
        var import = store.ImportAsync(workload.Table);
        var during = new Samples();
        while (!import.IsCompleted)
        {
            var sample = await new Load(store.Unix, nobody, 16, bench.Seconds * 2) { Pace = Pace }.RunAsync(bench, policyd);
            during.Add(sample.LateMicroseconds);
        }

        await import;
        var took = clock.Elapsed;
        while (!(await Asker.AskAsync(store.Unix, Workload.Key(workload.Rows - 1)))!.Contains("OK ", StringComparison.Ordinal))
            await Task.Delay(20);
        var live = clock.Elapsed - took;
        part.Row("import with policyctl, s", took.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture), "", "at most 60");
        part.Row("from its end until all of it is answered, s", live.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture), "", "");
        part.Row("lookups before the import, 99th percentile, µs", quiet.LateMicroseconds.ToString("0", CultureInfo.InvariantCulture), "", "");
        part.Row("lookups during the import, 99th percentile, µs", during.Text("0"), during.Spread("0"), "undisturbed");
        await Task.Delay(TimeSpan.FromSeconds(2));
        part.Row("resident right after it was loaded, MiB", (policyd.ResidentKiB / 1024.0).ToString("0", CultureInfo.InvariantCulture), "", "");
        return sleeping;
    }

    private static async Task MeasureStartAsync(Bench bench, PolicydStore store, int rows, long sleeping, ReportPart part)
    {
        Samples wall = new(), cpu = new(), resident = new();
        for (var round = 0; round < bench.Rounds; round++)
        {
            await using var policyd = await store.StartAsync();
            wall.Add(policyd.FirstAnswer.TotalSeconds);
            cpu.Add(policyd.CpuToFirstAnswer.TotalSeconds);
            await Task.Delay(TimeSpan.FromSeconds(1));
            resident.Add(policyd.ResidentKiB / 1024.0);
        }

        part.Row("restart to first answer, s", wall.Text(), wall.Spread(), "at most 2");
        part.Row("processor time until then, s", cpu.Text(), cpu.Spread(), "");
        part.Row("resident after a restart, MiB", resident.Text("0"), resident.Spread("0"), "at most 200");
        part.Row(
            "octets per destination, beyond an empty daemon",
            (((resident.Median * 1024) - sleeping) * 1024 / rows).ToString("0", CultureInfo.InvariantCulture), "", "");
        if (bench.Options.Quick)
            return;
        File.Delete(store.Snapshot);
        await using var first = await store.StartAsync();
        part.Row("start without a snapshot file, s", first.FirstAnswer.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture), "", "");
    }

    private static async Task MeasureLiveAsync(Bench bench, PolicydStore store, ReportPart part)
    {
        using var toggle = new StoreToggle(store.Database, Workload.Key(1));
        using var socket = store.Unix.NewSocket();
        await socket.ConnectAsync(store.Unix.Address);
        var times = new Samples();
        for (var round = 0; round < (bench.Options.Quick ? 5 : 20); round++)
        {
            // At another place of the daemon's rhythm each time.
            await Task.Delay(137 * round % 250);
            var wanted = toggle.Change();
            var clock = Stopwatch.StartNew();
            while (!(await Asker.AskAsync(socket, store.Unix, Workload.Key(1)))!.Contains(wanted, StringComparison.Ordinal))
                await Task.Delay(1);
            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        part.Row("one changed row, from its commit until answered, ms", times.Text("0"), times.Spread("0"), "below 250");
    }

    private static async Task MeasureChangesAsync(Bench bench, PolicydStore store, Server policyd, Workload workload, ReportPart part)
    {
        Samples quiet = new(), busy = new(), ratio = new();
        for (var round = 0; round < bench.Rounds; round++)
        {
            var load = new Load(store.Unix, workload.Keys, 100, bench.Seconds * 2);
            var calm = await load.RunAsync(bench, policyd);
            using var toggle = new StoreToggle(store.Database, Workload.Key(1));
            using var end = new CancellationTokenSource();
            var changes = toggle.KeepChangingAsync(10, end.Token);
            var changing = await load.RunAsync(bench, policyd);
            await end.CancelAsync();
            await changes;
            quiet.Add(calm.LateMicroseconds);
            busy.Add(changing.LateMicroseconds);
            ratio.Add(changing.LateMicroseconds / calm.LateMicroseconds);
        }

        part.Row("100 busy connections, 99th percentile, µs", quiet.Text("0"), quiet.Spread("0"), "");
        part.Row("the same with 10 changes a second", busy.Text("0"), busy.Spread("0"), "");
        part.Row("ratio", ratio.Text(), ratio.Spread(), "at most 2");
    }

    private static async Task MeasureCostAsync(Bench bench, PolicydStore small, PolicydStore large, Workload workload, ReportPart part)
    {
        await using var hundred = await small.StartAsync();
        await using var million = await large.StartAsync(isAlone: false);
        Samples few = new(), many = new(), ratio = new();
        for (var round = 0; round < bench.Rounds; round++)
        {
            var a = await new Load(small.Unix, bench.Workload(100).Keys, 100, bench.Seconds).RunAsync(bench, hundred);
            var b = await new Load(large.Unix, workload.Keys, 100, bench.Seconds).RunAsync(bench, million);
            few.Add(a.CpuMicroseconds);
            many.Add(b.CpuMicroseconds);
            ratio.Add(b.CpuMicroseconds / a.CpuMicroseconds);
        }

        part.Row("CPU per lookup with 100 rows, µs", few.Text(), few.Spread(), "");
        part.Row(string.Create(CultureInfo.InvariantCulture, $"CPU per lookup with {workload.Rows:N0} rows, µs"), many.Text(), many.Spread(), "");
        part.Row("ratio", ratio.Text(), ratio.Spread(), "below 1.5");
    }
}
