using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Peers;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>The prober in the daemon with many destinations behind few addresses, and the lookups beside it.</summary>
internal sealed class ProberSection : ISection
{
    private const int Passes = 3;

    // A first probe asks a server for a certificate of the other key algorithm too; that is not repeated for twenty hours.
    private const int FirstConnections = 2;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);

    // The last probe of a pass has ended by then; and a thread that the pool does not need any more (20 s).
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(25);

    public string Name => "prober";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var isQuick = bench.Options.Quick;
        var zone = isQuick ? new ProbedZone(2_000, 100, Passes) : new ProbedZone(100_000, 5_000, Passes);
        // Each probe is due 0.9 to 1.1 intervals after the one before. The first pass takes as long as probes_per_second says, nearly
        // three minutes; the others are longer by the spread. So passes stay apart, with a rest between them.
        var interval = isQuick ? TimeSpan.FromSeconds(40) : TimeSpan.FromMinutes(8);
        using var authority = new TestAuthority(["*.hosts.example"]);
        var store = await NewStoreAsync(bench, authority, zone.Destinations);
        var keys = Path.Combine(bench.Directory, "prober-keys");
        await File.WriteAllLinesAsync(keys, Enumerable.Range(0, 10_000).Select(index => $"{ProbedZone.Key(index * 7 % zone.Destinations)}\tH"));
        var load = new Load(store.Unix, keys, 16, isQuick ? 0.5 : 2) { Pace = Pace, GoesFirst = Cores.CanGoFirst };

        // The same daemon and the same pace, without the prober: what memory is compared with.
        long began;
        await using (var without = await store.StartAsync(isPinned: false))
        {
            for (var sample = 0; sample < bench.Rounds; sample++)
                await load.RunAsync(bench, without);
            began = without.ResidentKiB;
        }

        store.Probe = Probe(bench, interval);
        using var dns = new SimulatedDns(zone.Answer);
        using var servers = new SimulatedMailServers(authority);
        await using var policyd = await store.StartAsync(isPinned: false);
        var passes = new List<ProberPass>();
        for (var number = 1; number <= Passes; number++)
            passes.Add(await MeasureAsync(bench, number, interval, (store, policyd, load), (zone, dns, servers)));
        return ProberReport.Write(zone, interval, passes, (began, policyd.PeakKiB), FirstConnections);
    }

    /// <summary>Asks all the time, until a pass is over and policyd has come to rest, or the next begins.</summary>
    private static async Task<ProberPass> MeasureAsync(
        Bench bench, int number, TimeSpan interval, (PolicydStore Store, Server Policyd, Load Load) measured,
        (ProbedZone Zone, SimulatedDns Dns, SimulatedMailServers Servers) peers)
    {
        var (store, policyd, load) = measured;
        var (zone, dns, servers) = peers;
        var pass = new ProberPass(number);
        var watch = Stopwatch.StartNew();
        var (cpu, peersCpu, questions, start) = (policyd.Cpu, Environment.CpuUsage.TotalTime, dns.Questions, watch.Elapsed);
        TimeSpan? over = null;
        var rested = false;
        while (over is null || watch.Elapsed - over < Settled || (number < Passes && zone.Reached(number + 1) == 0))
        {
            var hadBegun = zone.Reached(number) > 0;
            var (at, used) = (watch.Elapsed, policyd.Cpu);
            if (!hadBegun)
                (cpu, peersCpu, questions, start) = (used, Environment.CpuUsage.TotalTime, dns.Questions, at);
            var probes = zone.Probes;
            var sample = await load.RunAsync(bench, policyd);
            if (sample.Wrong > 0)
                throw new BenchmarkException($"{sample.Wrong} of {sample.Requests} answers were wrong");
            if (over is null && hadBegun && zone.Reached(number) < zone.Destinations)
                pass.Busy.Add(sample.LateMicroseconds);
            if ((zone.Probes - probes) / (watch.Elapsed - at).TotalSeconds is >= ProberPass.LeastPace and <= ProberPass.MostPace)
                pass.Paced.Add(sample.LateMicroseconds);
            if (rested && zone.Probes == probes)
            {
                pass.Idle.Add(sample.LateMicroseconds);
                pass.IdleCpu.Add((policyd.Cpu - used) / (watch.Elapsed - at));
            }

            // A probe ends behind its question for the MX, and writes after that.
            rested = zone.Probes == probes;
            if (over is not null)
            {
                // The last of these is taken when everything has come to rest.
                (pass.ResidentKiB, pass.AnonymousKiB) = (policyd.ResidentKiB, policyd.AnonymousKiB);
                (pass.Descriptors, pass.Threads) = (policyd.Descriptors, policyd.Threads);
            }

            if (over is null && zone.IsOver(number, Quiet))
            {
                over = watch.Elapsed;
                (pass.Took, pass.Measured) = (zone.Took(number), over.Value - start);
                (pass.Cpu, pass.PeersCpu) = (policyd.Cpu - cpu, Environment.CpuUsage.TotalTime - peersCpu);
                pass.Questions = dns.Questions - questions;
                pass.Connections = servers.Take();
            }

            if (watch.Elapsed > (interval * 3) + Settled)
            {
                throw new BenchmarkException(
                    $"pass {number} is not over: {zone.Reached(number)} of {zone.Destinations} probed; {DaemonStatusFile.TryRead(store.StatusFile)?.Prober}");
            }
        }

        Console.Error.WriteLine($"-- pass {number}: {zone.Destinations / pass.Took.TotalSeconds:0} probes/s; lookups µs {pass.Busy.Summary}, at a moderate pace {pass.Paced.Summary}, idle {pass.Idle.Summary}");
        return pass;
    }

    private static async Task<PolicydStore> NewStoreAsync(Bench bench, TestAuthority authority, int destinations)
    {
        var pin = Convert.ToHexStringLower(SHA256.HashData(authority.Certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        var table = Path.Combine(bench.Directory, "prober-table");
        await File.WriteAllLinesAsync(table, Enumerable.Range(0, destinations).Select(index => index % 5 == 0
            ? $"{ProbedZone.Key(index)} fingerprint match={pin}"
            : $"{ProbedZone.Key(index)} secure match=.hosts.example"));
        await File.WriteAllTextAsync(Roots(bench), authority.CertificatePem);
        var store = await bench.NewStoreAsync("prober");
        await store.ImportAsync(table);
        return store;
    }

    private static string Roots(Bench bench) => Path.Combine(bench.Directory, "prober-ca.pem");

    // Lookups of pinned keys ask for no probe: they would begin the next pass before the rest.
    private static string Probe(Bench bench, TimeSpan interval) => string.Create(CultureInfo.InvariantCulture, $"""
        enabled = yes
        resolver = 127.0.0.1:53
        private_addresses = yes
        helo_name = probe.example
        ca_file = {Roots(bench)}
        interval = {(int)interval.TotalSeconds}s
        renewal_interval = {(int)interval.TotalSeconds}s
        lookup_staleness = {2 * (int)interval.TotalSeconds}s
        address_spacing = 0s
        provider_spacing = 0s
        alert_socket =
        """);
}
