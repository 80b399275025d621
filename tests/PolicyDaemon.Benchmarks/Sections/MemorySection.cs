using System.Globalization;
using System.Net.Sockets;
using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>The start, and what is held in memory: idle, after many short connections, with many idle ones.</summary>
internal sealed class MemorySection : ISection
{
    private const int Rows = 500;

    public string Name => "memory";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var part = new ReportPart(
            "Start and memory",
            $"{Rows} rows, published policyd. Resident memory as the kernel counts it (VmRSS), shared pages included. Start: from before the process "
                + "is made until the first reply is here, with the snapshot of the last run on disk as after any restart. The prober is off where it is not mentioned.",
            "what", "measured", "spread", "aim");
        var workload = bench.Workload(Rows);
        var store = await bench.NewStoreAsync("memory", workload);
        await MeasureStartAsync(bench, store, part, "");
        // As it ships, but that no resolver answers: what the prober costs before it has probed anything.
        store.Probe = "enabled = yes\nresolver = 127.0.0.1:53";
        await MeasureStartAsync(bench, store, part, ", with the prober");
        store.Probe = "enabled = no";
        await MeasureChurnAsync(bench, store, workload, part);
        await MeasureIdleConnectionsAsync(bench, store, part);
        return part;
    }

    private static async Task MeasureStartAsync(Bench bench, PolicydStore store, ReportPart part, string how)
    {
        var rounds = bench.Options.Quick ? 3 : 11;
        Samples wall = new(), cpu = new(), idle = new();
        for (var round = 0; round <= rounds; round++)
        {
            await using var policyd = await store.StartAsync();
            if (round == 0)
                continue; // writes the snapshot
            wall.Add(policyd.FirstAnswer.TotalMilliseconds);
            cpu.Add(policyd.CpuToFirstAnswer.TotalMilliseconds);
            await Task.Delay(TimeSpan.FromSeconds(1));
            idle.Add(policyd.ResidentKiB / 1024.0);
        }

        part.Row($"start to first answer{how}, ms", wall.Text("0"), wall.Spread("0"), "at most 30");
        part.Row($"processor time until then{how}, ms", cpu.Text("0"), cpu.Spread("0"), "");
        part.Row($"resident when idle{how}, MiB", idle.Text("0.0"), idle.Spread("0.0"), "at most 20");
    }

    private static async Task MeasureChurnAsync(Bench bench, PolicydStore store, Workload workload, ReportPart part)
    {
        var rounds = bench.Options.Quick ? 2_000 : 20_000;
        foreach (var endpoint in (Endpoint[])[store.Unix, store.Tcp])
        {
            Samples above = new(), later = new(), cpu = new();
            var repeated = bench.Options.Quick ? 1 : 3;
            for (var round = 1; round <= repeated; round++)
            {
                await using var policyd = await store.StartAsync();
                await Task.Delay(TimeSpan.FromSeconds(1));
                var idle = policyd.ResidentKiB;
                var before = policyd.Cpu;
                await new Load(endpoint, workload.Keys, 100, 0) { Churn = rounds }.RunAsync(bench, policyd);
                cpu.Add((policyd.Cpu - before).TotalMicroseconds / rounds);
                above.Add((policyd.ResidentKiB - idle) / 1024.0);
                if (round < repeated)
                    continue;
                // What they leave behind is given back, at most every twenty seconds.
                await Task.Delay(TimeSpan.FromSeconds(30));
                later.Add((policyd.ResidentKiB - idle) / 1024.0);
            }

            var name = FormattableString.Invariant($"{rounds} times connect, ask, close, 100 at a time, {(endpoint.IsUnix ? "unix" : "TCP")}");
            part.Row($"{name}: MiB above idle", above.Text("0.0"), above.Spread("0.0"), "at most 10");
            part.Row("the same 30 s later", later.Text("0.0"), "", "");
            part.Row("server CPU per round, µs", cpu.Text("0.0"), cpu.Spread("0.0"), "");
        }
    }

    /// <summary>Waits for the server to accept; an asynchronous connect to a unix socket fails where its backlog is full.</summary>
    private static Socket Connected(Endpoint endpoint)
    {
        var socket = endpoint.NewSocket();
        socket.Connect(endpoint.Address);
        return socket;
    }

    private static async Task MeasureIdleConnectionsAsync(Bench bench, PolicydStore store, ReportPart part)
    {
        var count = bench.Options.Quick ? 1_000 : 10_000;
        foreach (var endpoint in (Endpoint[])[store.Unix, store.Tcp])
        {
            await using var policyd = await store.StartAsync();
            await Task.Delay(TimeSpan.FromSeconds(1));
            var idle = policyd.ResidentKiB;
            var sockets = new List<Socket>(count);
            try
            {
                for (var index = 0; index < count; index++)
                {
                    sockets.Add(Connected(endpoint));
                }

                // All are accepted once the last one was answered.
                await Asker.AskAsync(sockets[^1], endpoint, "nobody.example");
                var silent = (policyd.ResidentKiB - idle) * 1024.0 / count;
                foreach (var socket in sockets)
                    await Asker.AskAsync(socket, endpoint, "nobody.example");
                await Task.Delay(TimeSpan.FromSeconds(1));
                var asked = (policyd.ResidentKiB - idle) * 1024.0 / count;
                var name = FormattableString.Invariant($"{count} idle connections, {(endpoint.IsUnix ? "unix" : "TCP")}");
                part.Row($"{name}: octets each, which never asked", silent.ToString("0", CultureInfo.InvariantCulture), "", "below 8192");
                part.Row("the same after each asked once", asked.ToString("0", CultureInfo.InvariantCulture), "", "below 8192");
            }
            finally
            {
                sockets.ForEach(socket => socket.Dispose());
            }
        }
    }
}
