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
    private const int Rounds = 3;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    public string Name => "prober";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var (destinations, addresses) = bench.Options.Quick ? (2_000, 100) : (100_000, 5_000);
        // A round must be over before the next begins, or there are no rounds: a look takes some milliseconds of processor time,
        // those of the simulated servers included.
        var interval = bench.Options.Quick ? TimeSpan.FromSeconds(60) : TimeSpan.FromMinutes(10);
        var deadline = bench.Options.Quick ? TimeSpan.FromMinutes(4) : TimeSpan.FromMinutes(45);
        var part = new ReportPart(
            "Prober",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{destinations:N0} destinations, 20 % with a pin, behind {addresses:N0} addresses; DNS, SMTP and TLS are simulated on the same cores and cost as much as they would elsewhere. ")
                + "The first look at an address makes two connections: one asks for the other key algorithm. Spacing between connections is off. Lookups: 16 connections at a moderate pace.",
            "what", "measured", "aim");
        using var authority = new TestAuthority(["*.hosts.example"]);
        var store = await NewStoreAsync(bench, authority, destinations, interval);
        var keys = Path.Combine(bench.Directory, "prober-keys");
        await File.WriteAllLinesAsync(keys, Enumerable.Range(0, 10_000).Select(index => $"{Key(index * 7 % destinations)}\tH"));
        var load = new Load(store.Unix, keys, 16, 2) { Pace = Pace };

        // The same daemon and the same pace, without the prober.
        var probing = store.Probe;
        store.Probe = "enabled = no";
        var quiet = new Samples();
        await using (var idle = await store.StartAsync(isPinned: false))
        {
            for (var round = 0; round < bench.Rounds; round++)
                quiet.Add((await load.RunAsync(bench, idle)).LateMicroseconds);
        }

        store.Probe = probing;
        using var dns = new SimulatedDns((name, type) => Zone(name, type, addresses));
        using var servers = new SimulatedMailServers(authority);
        await using var policyd = await store.StartAsync(isPinned: false);
        var began = policyd.ResidentKiB;
        part.Row("lookups without the prober, 99th percentile, µs", quiet.WithSpread("0"), "");
        await RunRoundsAsync(bench, store, policyd, servers, dns, load, quiet, (addresses, interval, deadline, began), part);
        return part;
    }

    private static async Task RunRoundsAsync(
        Bench bench, PolicydStore store, Server policyd, SimulatedMailServers servers, SimulatedDns dns, Load load, Samples quiet,
        (int Addresses, TimeSpan Interval, TimeSpan Deadline, long ResidentKiB) plan, ReportPart part)
    {
        var clock = Stopwatch.StartNew();
        DateTimeOffset? ended = null;
        for (var round = 1; round <= Rounds; round++)
        {
            var busy = new Samples();
            var begin = clock.Elapsed;
            var cpu = policyd.Cpu;
            var queries = dns.Queries;
            while (true)
            {
                var sample = await load.RunAsync(bench, policyd);
                var prober = DaemonStatusFile.TryRead(store.StatusFile)?.Prober;
                if (prober is { InFlight: > 0 })
                    busy.Add(sample.LateMicroseconds);
                if (prober is { State: "failing" })
                    throw new BenchmarkException($"the prober fails: {prober.Problem}");
                if (prober is { InFlight: 0, Due: 0 } && prober.RoundEnded is { } end && end != ended && busy.Count > 0)
                {
                    ended = end;
                    break;
                }

                if (clock.Elapsed > plan.Deadline)
                {
                    part.Row($"round {round}", $"not over after {plan.Deadline}: {prober}", "");
                    return;
                }
            }

            var took = clock.Elapsed - begin;
            var connections = servers.Take();
            var seen = connections.Select(one => one.Address).Distinct().Count();
            part.Row($"round {round}: addresses connected to", Number(seen), Number(plan.Addresses));
            part.Row($"round {round}: connections", Number(connections.Count), "");
            part.Row($"round {round}: took s", Number(took.TotalSeconds), "");
            if (round == 1)
            {
                // The first nine tenths: towards the end nearly every address has been seen.
                var times = connections.DistinctBy(one => one.Address).Select(one => one.At).ToArray();
                var share = times.Length * 9 / 10;
                part.Row("probes a second, over nine tenths of the addresses", Number(share / (times[share - 1] - times[0]).TotalSeconds), "at least 200");
            }

            part.Row($"round {round}: DNS questions", Number(dns.Queries - queries), "");
            part.Row($"round {round}: processor time of policyd, s", Number((policyd.Cpu - cpu).TotalSeconds), "");
            part.Row($"round {round}: lookups, 99th percentile, µs", busy.WithSpread("0"), $"at most {Number(quiet.Median * 2)}");
            await Task.Delay(Step);
            part.Row($"round {round}: resident MiB more than at the start", Number((policyd.ResidentKiB - plan.ResidentKiB) / 1024.0), "below 200");
            part.Row($"round {round}: descriptors, threads afterwards", $"{policyd.Descriptors}, {policyd.Threads}", "the same after each");
        }
    }

    private static async Task<PolicydStore> NewStoreAsync(Bench bench, TestAuthority authority, int destinations, TimeSpan interval)
    {
        var pin = Convert.ToHexStringLower(SHA256.HashData(authority.Certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        var table = Path.Combine(bench.Directory, "prober-table");
        await File.WriteAllLinesAsync(table, Enumerable.Range(0, destinations).Select(index =>
            index % 5 == 0 ? $"{Key(index)} fingerprint match={pin}" : $"{Key(index)} secure match=.hosts.example"));
        var roots = Path.Combine(bench.Directory, "prober-ca.pem");
        await File.WriteAllTextAsync(roots, authority.CertificatePem);
        var store = await bench.NewStoreAsync("prober");
        await store.ImportAsync(table);
        store.Probe = string.Create(CultureInfo.InvariantCulture, $"""
            enabled = yes
            resolver = 127.0.0.1:53
            private_addresses = yes
            helo_name = probe.example
            ca_file = {roots}
            interval = {(int)interval.TotalSeconds}s
            renewal_interval = {(int)interval.TotalSeconds}s
            address_spacing = 0s
            provider_spacing = 0s
            alert_socket =
            """);
        return store;
    }

    private static string Key(int index) => string.Create(CultureInfo.InvariantCulture, $"d{index:D6}.probed.example");

    private static byte[]? Zone(string name, ushort type, int addresses)
    {
        var first = name.Split('.')[0];
        if (type == SimulatedDns.MailType && name.EndsWith(".probed.example", StringComparison.Ordinal))
            return SimulatedDns.Mail($"mx{int.Parse(first.AsSpan(1), CultureInfo.InvariantCulture) % addresses}.hosts.example");
        if (type != SimulatedDns.AddressType || !name.EndsWith(".hosts.example", StringComparison.Ordinal))
            return null;
        var number = int.Parse(first.AsSpan(2), CultureInfo.InvariantCulture);
        return [127, 8, (byte)(number >> 8), (byte)number];
    }

    private static string Number(double value) => value.ToString(value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
