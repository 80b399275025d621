using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections.Fleet;

/// <summary>A million destinations on a server: how they come there, how one policyd reads all of them, and how they go to a file and to another database.</summary>
internal static class FleetMillion
{
    internal static async Task MeasureAsync(Bench bench, ReportPart part, int rows)
    {
        using var server = FleetChanges.Start("max_wal_size=4GB", "shared_buffers=128MB");
        var workload = bench.Workload(rows);
        server.Sql("CREATE DATABASE moved OWNER policydaemon");
        var store = new PolicydStore(bench, Path.Combine(bench.Directory, "large")) { Words = FleetChanges.Words("postgres", "policydaemon", server) };
        await store.InitAsync();
        part.Row(Of(rows, "import with policyctl, s"), await TimeAsync("import", () => store.ImportAsync(workload.Table)), "", "at most 60");
        await using (var policyd = await store.StartAsync(isPinned: false))
        {
            var loaded = await FleetChanges.LiveAsync(store, Loads.Workload.Key(rows - 1), Stopwatch.GetTimestamp());
            part.Row("full load without a snapshot file, until all of it is answered, s", (policyd.FirstAnswer + loaded).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture), "", "at most 30");
            part.Row("policyd's peak, MiB", (policyd.PeakKiB / 1024.0).ToString("0", CultureInfo.InvariantCulture), "", "at most 400");
        }

        var file = Path.Combine(bench.Directory, "moved.db");
        part.Row("store migrate to a file, s", await TimeAsync("migrate to a file", () => MigrateAsync(bench, store.Configuration, file)), "", "at most 120");
        var back = Path.Combine(bench.Directory, "back.conf");
        await File.WriteAllTextAsync(back, $"[store]\ndatabase = {file}\n[probe]\nenabled = no\n");
        part.Row(
            "store migrate from there to another database, s",
            await TimeAsync("migrate to a server", () => MigrateAsync(bench, back, "postgresql:" + FleetChanges.Words("moved", "policydaemon", server))), "", "at most 120");
    }

    private static string Of(int rows, string what) => string.Create(CultureInfo.InvariantCulture, $"{rows:N0} destinations: {what}");

    private static Task<string> MigrateAsync(Bench bench, string configuration, string to) =>
        Run.AsyncOrThrow(bench.Program("policyctl"), ["--config", configuration, "store", "migrate", "--to", to, "--reason", "measured"]);

    private static async Task<string> TimeAsync(string what, Func<Task> work)
    {
        Console.Error.WriteLine($"-- fleet: {what}");
        var clock = Stopwatch.StartNew();
        await work();
        return clock.Elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
    }
}
