using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Remedies;

/// <summary>The prober as the daemon runs it finds something wrong with itself: six destinations, each with a mail server on loopback.</summary>
internal sealed class ProberScenario : RemedyScenario
{
    private const int Destinations = 6;

    private static readonly X509Certificate2[] Keys = [.. Enumerable.Range(0, 2).Select(_ => TestCertificates.SelfSigned("mx.test"))];

    private readonly FindingKind kind;
    private readonly ProbedNetwork network = new(trusted: true);
    private readonly CancellationTokenSource stop = new();
    private readonly List<string> keys = [];
    private readonly ProberComposition parts;
    private readonly ProbeLedger ledger;
    private readonly ProbeEngine engine;
    private readonly DaemonLock running;
    private readonly Task probing;
    private X509Certificate2 shown = Keys[0];

    private ProberScenario(FindingKind kind)
    {
        this.kind = kind;
        if (kind == FindingKind.ResolverHalfTested)
            File.WriteAllText(Session.Config, File.ReadAllText(Session.Config).Replace("bogus.test", "none", StringComparison.Ordinal));
        for (var number = 1; number <= Destinations; number++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"d{number}.test");
            var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.{number}");
            if (kind != FindingKind.NetworkTrouble || number == 1)
                network.Serve(() => shown, address);
            // Nobody listens at the others.
            keys.Add(network.Domain(name, "mx." + name, false, kind == FindingKind.NetworkTrouble ? "127.0.1." + number : address));
            Session.Succeed("domain", "add", keys[^1], "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Keys[0]));
        }

        var settings = SettingsReader.Load(Session.Config);
        parts = new ProberComposition(settings.Probe, settings.Postfix, Session.Time);
        ledger = new ProbeLedger(settings.Database, settings.Postfix, Session.Time);
        engine = new ProbeEngine(
            ledger, parts.Resolver, parts.Probe, parts.Schedule with { ProbesPerSecond = 1_000_000 }, settings.Postfix, new Random(1), Session.Time, NullLogger.Instance);
        probing = Task.Run(() => engine.RunAsync(stop.Token));
        running = StatusTests.Run(Session, "store", AuditEnd());
    }

    internal static IEnumerable<RemedyCase> Cases =>
    [
        Case(FindingKind.BrakeOn) with { Shows = "\tnew-key\t" }, Case(FindingKind.ResolverNotValidating) with { Shows = "but its self-test failed" },
        Case(FindingKind.ResolverHalfTested) with { Shows = "without a name that must come back bogus" },
        Case(FindingKind.NetworkTrouble) with { Shows = "could be reached" },
        Case(FindingKind.DnsTrouble) with { Name = "dns-trouble of all", Shows = "SERVFAIL" },
        Case(FindingKind.ClockJumped) with { Shows = "UTC" },
    ];

    internal override CliSession Session => network.Session;

    internal override async Task BringAsync()
    {
        if (kind == FindingKind.ResolverNotValidating)
            network.Dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply());
        await PassAsync();
        switch (kind)
        {
            case FindingKind.BrakeOn:
                shown = Keys[1];
                break;
            case FindingKind.DnsTrouble:
                foreach (var key in keys)
                    network.Dns.Set(NextHop.Parse(key).Host, FakeDnsServer.Mx, new FakeDnsReply { Code = 2 });
                break;
            case FindingKind.ClockJumped:
                new ProberFindings(ledger, NullLogger.Instance, Session.Time).ClockSet(TimeSpan.FromHours(-6));
                return;
        }

        await PassAsync();
    }

    internal override async Task PassAsync()
    {
        await Until.TrueAsync(() => engine.IsIdle);
        Session.Time.Advance(TimeSpan.FromMinutes(20));
        var asked = Session.Time.GetUtcNow();
        foreach (var key in keys)
            engine.Want(NextHop.Parse(key), ProbeReason.Person);
        await Until.TrueAsync(() => keys.TrueForAll(key => ledger.Read(NextHop.Parse(key))?.LastProbe >= asked) && engine.IsIdle);
    }

    public override async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await probing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        running.Dispose();
        engine.Dispose();
        ledger.Dispose();
        parts.Dispose();
        stop.Dispose();
        await network.DisposeAsync();
    }

    private static RemedyCase Case(FindingKind kind) => new(kind.Name(), () => new ProberScenario(kind));
}
