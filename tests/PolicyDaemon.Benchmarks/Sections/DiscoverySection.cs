using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Peers;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>Destinations without an entry: what a first sight takes, how many discoveries go in a second, and what lookups notice of them.</summary>
internal sealed class DiscoverySection : ISection
{
    private const string Discovered = "NOTFOUND ";

    // Postfix asks again for the next MX host and the next mail; so often is enough to see the verdict come.
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(20);

    // A moderate load, so that what is measured is disturbance and not the queue: 16 connections, some 3,000 questions a second.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);

    // 50 connections that pause so long ask 500 times a second, less what a discovery takes.
    private static readonly TimeSpan FirstSightPace = TimeSpan.FromMilliseconds(95);

    private const int FirstSightConnections = 50;

    // Above what policyd itself has under way.
    private const int AsFastAsItGoes = 64;

    // Every key is asked for once: the next that nobody has asked for.
    private int next;

    public string Name => "discovery";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var part = new ReportPart(
            "Discovery",
            "Destinations without an entry, in mode on, against simulated DNS and policy hosts on the same cores, which answer at once; no zone is signed, so that nobody has DANE. "
                + "A discovery of a destination that publishes nothing asks for MX and _mta-sts; a hundred MX hosts are shared. Beside it: 16 connections at a moderate pace ask for what is known, "
                + "in turn without and with new destinations on 50 others.",
            "what", "measured", "spread", "aim");
        using var authority = new TestAuthority(DiscoveredZone.PolicyHosts);
        var roots = Path.Combine(bench.Directory, "discovery-ca.pem");
        await File.WriteAllTextAsync(roots, authority.CertificatePem);
        var store = await bench.NewStoreAsync("discovery");
        store.Probe = $"""
            enabled = no
            resolver = 127.0.0.1:53
            resolver_trusted = yes
            dnssec_test_secure = {DiscoveredZone.SecureName}
            dnssec_test_bogus = none
            private_addresses = yes
            ca_file = {roots}
            [postfix]
            security_level = may
            [discovery]
            mode = on
            """;
        using var dns = new SimulatedDns(DiscoveredZone.Answer) { Delay = DiscoveredZone.Delay, SecureName = DiscoveredZone.SecureName };
        using var host = new PolicyHost(authority);
        await using (var policyd = await store.StartAsync(isPinned: false))
        {
            await MeasureFirstSightsAsync(bench, store, part);
            await MeasureSlowAsync(bench, store, part);
            await MeasureRateAsync(bench, store, policyd, dns, part);
            await MeasureBesideAsync(bench, store, policyd, part);
        }

        await VerdictMemory.MeasureAsync(bench, store, part);
        return part;
    }

    private async Task MeasureFirstSightsAsync(Bench bench, PolicydStore store, ReportPart part)
    {
        var count = bench.Options.Quick ? 20 : DiscoveredZone.Policies;
        using var socket = store.Unix.NewSocket();
        await socket.ConnectAsync(store.Unix.Address);
        Row("first sight of a destination that publishes nothing, ms", await AskAllAsync(Enumerable.Range(0, count).Select(_ => DiscoveredZone.Nothing(next++)), Discovered), "at most 1,600");
        Row("of one with an MTA-STS policy, which is fetched, ms", await AskAllAsync(Enumerable.Range(0, count).Select(DiscoveredZone.WithPolicy), "OK secure match="), "at most 1,600");

        async Task<Samples> AskAllAsync(IEnumerable<string> keys, string expected)
        {
            var times = new Samples();
            foreach (var key in keys)
            {
                var clock = Stopwatch.StartNew();
                var reply = await Asker.AskAsync(socket, store.Unix, key);
                times.Add(clock.Elapsed.TotalMilliseconds);
                // On a busy machine a verdict may come too late; Postfix looks itself then.
                if (reply?.Contains(expected, StringComparison.Ordinal) != true && reply?.Contains("OK dane,", StringComparison.Ordinal) != true)
                    throw new BenchmarkException($"policyd answers '{reply}' for {key}:\n{await store.ShowAsync(key)}");
            }

            return times;
        }

        void Row(string what, Samples times, string aim) => part.Row(what, times.Text("0.0"), times.Spread("0.0"), aim);
    }

    private async Task MeasureSlowAsync(Bench bench, PolicydStore store, ReportPart part)
    {
        Samples first = new(), known = new();
        await Task.WhenAll(Enumerable.Range(0, bench.Options.Quick ? 5 : 20).Select(async _ =>
        {
            var key = DiscoveredZone.Slow(next++);
            using var socket = store.Unix.NewSocket();
            await socket.ConnectAsync(store.Unix.Address);
            var clock = Stopwatch.StartNew();
            var reply = await Asker.AskAsync(socket, store.Unix, key);
            var answered = clock.Elapsed;
            while (reply?.Contains(Discovered, StringComparison.Ordinal) != true)
            {
                await Task.Delay(AskAgain);
                reply = await Asker.AskAsync(socket, store.Unix, key);
                if (clock.Elapsed > TimeSpan.FromMinutes(1))
                    throw new BenchmarkException($"policyd still answers '{reply}' for {key}");
            }

            lock (first)
            {
                first.Add(answered.TotalMilliseconds);
                known.Add(clock.Elapsed.TotalMilliseconds);
            }
        }));
        part.Row("first sight where its DNS answers take 1.8 s, 20 at a time, ms", first.Text("0"), first.Spread("0"), "at most 1,600");
        part.Row("until its verdict is answered, ms", known.Text("0"), known.Spread("0"), "");
    }

    private async Task MeasureRateAsync(Bench bench, PolicydStore store, Server policyd, SimulatedDns dns, ReportPart part)
    {
        Samples rate = new(), cpu = new(), late = new(), asked = new();
        for (var round = 0; round < bench.Rounds; round++)
        {
            var (before, began) = (dns.Questions, next);
            var keys = await FreshKeysAsync(bench, "rate", bench.Options.Quick ? 20_000 : 100_000);
            var sample = await new Load(store.Unix, keys, AsFastAsItGoes, bench.Seconds * 3).RunAsync(bench, policyd);
            if (sample.Requests > next - began)
                throw new BenchmarkException($"{sample.Requests} questions were asked, more than there were new destinations");
            rate.Add(sample.PerSecond);
            cpu.Add(sample.CpuMicroseconds);
            late.Add(sample.LateMicroseconds / 1000);
            asked.Add((double)(dns.Questions - before) / sample.Requests);
        }

        part.Row("discoveries a second, 64 at a time", rate.Text("0"), rate.Spread("0"), "at least 500");
        part.Row("processor time of policyd for one, µs", cpu.Text("0"), cpu.Spread("0"), "");
        part.Row("DNS questions for one, those of the warming up counted", asked.Text("0.0"), asked.Spread("0.0"), "");
        part.Row("first sights meanwhile, 99th percentile, ms", late.Text("0"), late.Spread("0"), "");
    }

    private async Task MeasureBesideAsync(Bench bench, PolicydStore store, Server policyd, ReportPart part)
    {
        var known = Path.Combine(bench.Directory, "discovery-known");
        await File.WriteAllLinesAsync(known, Enumerable.Range(0, Math.Min(next, 10_000)).Select(index => $"{DiscoveredZone.Nothing(index)}\tM")
            .Concat(Enumerable.Range(0, bench.Options.Quick ? 20 : DiscoveredZone.Policies).Select(index => $"{DiscoveredZone.WithPolicy(index)}\tH")));
        var load = new Load(store.Unix, known, 16, bench.Seconds * 2) { Pace = Pace, GoesFirst = Cores.CanGoFirst };
        await load.RunAsync(bench, policyd); // what had been a slow one's key is known now, too
        Samples quiet = new(), beside = new(), ratio = new(), rate = new();
        for (var round = 0; round < bench.Rounds * 2; round++)
        {
            var calm = await load.RunAsync(bench, policyd);
            var keys = await FreshKeysAsync(bench, "beside", 10_000);
            // It begins earlier and ends later by half a second.
            var others = new Load(store.Unix, keys, FirstSightConnections, load.Seconds + 1) { Pace = FirstSightPace }.RunAsync(bench, policyd);
            await Task.Delay(TimeSpan.FromMilliseconds(500));
            var busy = await load.RunAsync(bench, policyd);
            rate.Add((await others).PerSecond);
            quiet.Add(calm.LateMicroseconds);
            beside.Add(busy.LateMicroseconds);
            ratio.Add(busy.LateMicroseconds / calm.LateMicroseconds);
        }

        part.Row("lookups, 99th percentile while nothing is discovered, µs", quiet.Text("0"), quiet.Spread("0"), "");
        part.Row("the same beside discoveries, µs", beside.Text("0"), beside.Spread("0"), "");
        part.Row("ratio", ratio.Text(), ratio.Spread(), "at most 2");
        part.Row("discoveries a second meanwhile", rate.Text("0"), rate.Spread("0"), "500");
        var status = DaemonStatusFile.TryRead(store.StatusFile)?.Discovery;
        part.Row("first sights so far that were answered before their verdict, by policyd's own count", status is null ? "?" : status.TimedOut.ToString(CultureInfo.InvariantCulture), "", "");
    }

    private async Task<string> FreshKeysAsync(Bench bench, string name, int count)
    {
        var file = Path.Combine(bench.Directory, "discovery-" + name);
        // Neither hit nor miss is expected: where a verdict is late, "dane" is right.
        await File.WriteAllLinesAsync(file, Enumerable.Range(next, count).Select(index => $"{DiscoveredZone.Nothing(index)}\t-"));
        next += count;
        return file;
    }
}
