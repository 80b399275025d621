using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Peers;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>postfix-mta-sts-resolver from Debian with every policy in its cache, and policyd with the same policies.</summary>
internal sealed class ResolverSection : ISection
{
    private static readonly int[] Connections = [1, 16, 100];

    public string Name => "resolver";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var count = bench.Options.Quick ? 20 : 200;
        var domains = Enumerable.Range(0, count).Select(index => $"sts-{index:D4}.example").ToArray();
        var part = new ReportPart(
            "postfix-mta-sts-resolver",
            $"{count} domains with an MTA-STS policy, each fetched once before the measurement (cache in memory, no check of it until its grace is over), "
                + "only hits, over TCP: the resolver (r) and policyd (p) with the same answers in turn; medians. CPU: the server's, per request.",
            "connections", "r requests/s", "p requests/s", "r CPU µs", "p CPU µs", "r/p", "r 99 % µs", "p 99 % µs", "r resident MiB", "p resident MiB");

        var keys = Path.Combine(bench.Directory, "sts-keys");
        await File.WriteAllLinesAsync(keys, domains.Select(domain => $"{domain}\tH"));
        var table = Path.Combine(bench.Directory, "sts-table");
        await File.WriteAllLinesAsync(table, domains.Select(domain => $"{domain} secure match=mx1.{domain} servername=hostname"));
        var store = await bench.NewStoreAsync("sts");
        await store.ImportAsync(table);

        using var authority = new TestAuthority(domains.Select(domain => $"mta-sts.{domain}"));
        using var dns = new SimulatedDns(Zone);
        using var host = new PolicyHost(authority);
        await using var policyd = await store.StartAsync();
        var (resolver, endpoint) = await StartResolverAsync(bench, authority);
        await using var ended = resolver;
        foreach (var domain in domains)
        {
            var reply = await Asker.AskAsync(endpoint, domain);
            if (reply is null || !reply.Contains($"OK secure match=mx1.{domain}", StringComparison.Ordinal))
                throw new BenchmarkException($"postfix-mta-sts-resolver answers '{reply}' for {domain}");
        }

        foreach (var connections in Connections)
        {
            Samples[] r = [new(), new(), new(), new()], p = [new(), new(), new(), new()];
            var ratio = new Samples();
            for (var round = 0; round < bench.Rounds; round++)
            {
                var theirs = Note(await new Load(endpoint, keys, connections, bench.Seconds).RunAsync(bench, resolver), r);
                var ours = Note(await new Load(store.Tcp, keys, connections, bench.Seconds).RunAsync(bench, policyd), p);
                ratio.Add(theirs.CpuMicroseconds / ours.CpuMicroseconds);
            }

            part.Row(
                $"{connections}", r[0].Text("0"), p[0].Text("0"), r[1].Text(), p[1].Text(), ratio.WithSpread("0.0"),
                r[2].Text("0"), p[2].Text("0"), r[3].Text("0.0"), p[3].Text("0.0"));
        }

        return part;
    }

    private static byte[]? Zone(string name, ushort type) => (name.Split('.')[0], type) switch
    {
        ("_mta-sts", SimulatedDns.TextType) => [18, .. "v=STSv1; id=20261;"u8],
        ("mta-sts", SimulatedDns.AddressType) => [127, 0, 0, 1],
        _ => null,
    };

    private static LoadSample Note(LoadSample sample, Samples[] into)
    {
        into[0].Add(sample.PerSecond);
        into[1].Add(sample.CpuMicroseconds);
        into[2].Add(sample.LateMicroseconds);
        into[3].Add(sample.ResidentKiB / 1024.0);
        return sample;
    }

    private static async Task<(Server Server, Endpoint Endpoint)> StartResolverAsync(Bench bench, TestAuthority authority)
    {
        var configuration = Path.Combine(bench.Directory, "mta-sts-daemon.yml");
        await File.WriteAllTextAsync(configuration, """
            host: 127.0.0.1
            port: 18461
            cache_grace: 86400
            cache:
              type: internal
              options:
                cache_size: 10000
            default_zone:
              strict_testing: false
              timeout: 4

            """);
        var certificates = Path.Combine(bench.Directory, "ca.pem");
        await File.WriteAllTextAsync(certificates, authority.CertificatePem);
        var endpoint = new Endpoint("socketmap", "inet:127.0.0.1:18461");
        return (await Server.StartAsync(
            [.. Cores.Server, "mta-sts-daemon", "-c", configuration], endpoint, "sts-0000.example",
            new Dictionary<string, string> { ["SSL_CERT_FILE"] = certificates }), endpoint);
    }
}
