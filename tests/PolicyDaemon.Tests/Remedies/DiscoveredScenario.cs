using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Discovery;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Discovery;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Remedies;

/// <summary>Discovery finds something about a destination without an entry, or about itself.</summary>
internal sealed class DiscoveredScenario : RemedyScenario
{
    private const string Domain = "partner.test";

    private static readonly X509Certificate2 Trusted = TestCertificates.Issued("mx.partner.test");

    private readonly string name;
    private readonly ProbedNetwork network = new(trusted: true, postfix: CliSession.DiscoveryOn);
    private readonly FakePolicyHost host;
    private readonly ProbeLedger ledger;
    private readonly SnapshotLoader loader;
    private readonly DaemonLock running;
    private readonly DiscoveryFindings findings;
    private readonly Settings settings;
    private readonly string key;
    private string served;

    private DiscoveredScenario(string name)
    {
        this.name = name;
        served = Policy(name == "policy-covers-none" ? "mx.elsewhere.test" : "mx.partner.test");
        host = new FakePolicyHost(
            TestCertificates.Issued("mta-sts." + Domain), async (stream, cancellation) => await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(served), cancellation));
        Session.PolicyPort = host.Port;
        network.Serve(name == "pin-beside-policy" ? Trusted : TestCertificates.SelfSigned("mx.partner.test"));
        var withPort = network.Domain(Domain, "mx.partner.test", false, "127.0.0.1");
        key = name == "pin-beside-policy" ? withPort : Domain;
        network.Dns.AddHost("mta-sts." + Domain, false, "127.0.0.1");
        network.Text("_mta-sts." + Domain, "v=STSv1; id=2026;");
        settings = SettingsReader.Load(Session.Config);
        ledger = new ProbeLedger(settings.Database, settings.Postfix, Session.Time);
        loader = new SnapshotLoader(
            new SnapshotLoaderOptions(settings.Database, settings.Snapshot), settings.Postfix, Session.Time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        findings = new DiscoveryFindings(new DiscoveredStore(ledger, Session.Time), loader, settings.Postfix, answers: true, Session.Time);
        running = StatusTests.Run(Session, "store", AuditEnd());
    }

    internal static IEnumerable<RemedyCase> Cases =>
    [
        Case("policy-covers-none"), Case("policy-not-renewed"), Case("policy-lapsed"), Case("answer-too-long"), Case("discovery-trouble"),
        Case("floor-not-met") with { Shows = "partner.test" },
        Case("pin-beside-policy") with { Settles = true },
    ];

    internal override CliSession Session => network.Session;

    internal override async Task BringAsync()
    {
        if (name == "discovery-trouble")
            findings.NoteTrouble("20 of 20 lookups failed");
        if (name == "answer-too-long")
            LongNames();
        if (name == "floor-not-met")
            Session.Succeed("domain", "add", key, "--level", "discovered", "--floor", "dane-only");
        if (name == "pin-beside-policy")
            Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Trusted));
        await PassAsync();
        if (name is "policy-not-renewed" or "policy-lapsed")
        {
            served = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            Session.Time.Advance(name == "policy-lapsed" ? TimeSpan.FromDays(8) : TimeSpan.FromDays(5));
            await PassAsync();
        }
    }

    internal override async Task PassAsync()
    {
        loader.Poll();
        var memory = await DiscoverAsync();
        var state = DiscoveredState.Of(memory.Key, memory, settings, Session.Time.GetUtcNow());
        findings.Note(memory with { Used = Session.Time.GetUtcNow() }, state.Verdict!, state.Remarks);
        await findings.WriteAsync();
        if (name == "pin-beside-policy")
            Session.Run("probe", key);
    }

    public override async ValueTask DisposeAsync()
    {
        running.Dispose();
        loader.Dispose();
        ledger.Dispose();
        await host.DisposeAsync();
        await network.DisposeAsync();
    }

    private static RemedyCase Case(string name) => new(name, () => new DiscoveredScenario(name));

    private static string Policy(params string[] hosts) =>
        FakePolicyHost.Ok($"version: STSv1\nmode: enforce\nmax_age: 604800\n{string.Concat(hosts.Select(mx => $"mx: {mx}\n"))}");

    /// <summary>As many MX hosts as are followed, with names so long that no answer has room for them.</summary>
    private void LongNames()
    {
        var longest = string.Join('.', Enumerable.Repeat(new string('a', 54), 4));
        var hosts = Enumerable.Range(10, DnsLimits.MxHosts).Select(number => string.Create(CultureInfo.InvariantCulture, $"mx{number}.{longest}.test")).ToList();
        network.Dns.Set(Domain, FakeDnsServer.Mx, new FakeDnsReply { Truncated = true });
        foreach (var mx in hosts)
        {
            network.Dns.AddMx(Domain, 10, mx);
            // Nobody listens there.
            network.Dns.AddHost(mx, false, "127.0.1." + mx[2..4]);
        }

        served = Policy([.. hosts]);
    }

    /// <summary>What the daemon does with a lookup, with the policy host of the test.</summary>
    private async Task<Discovered> DiscoverAsync()
    {
        var store = new DiscoveredStore(ledger, Session.Time);
        using var parts = new ProberComposition(settings.Probe, settings.Postfix, Session.Time);
        await using var discoverer = parts.CreateDiscoverer(store, settings.Discovery.Conditions(settings.Postfix), host.Port);
        var result = await discoverer.Discover(NextHop.Parse(key), DiscoveryReason.Person).Whole;
        await discoverer.FlushAsync();
        return result.Memory;
    }
}
