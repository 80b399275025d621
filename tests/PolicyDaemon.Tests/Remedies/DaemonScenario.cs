using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Daemon.Alerts;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Remedies;

/// <summary>The daemon meets lookups of keys that nobody entered, or cannot tell people of what it found.</summary>
internal sealed class DaemonScenario : RemedyScenario
{
    private readonly string name;
    private readonly LookupDemand demand = new();
    private readonly CancellationTokenSource stop = new();
    private readonly FakeChannel channel = new("alert_command") { Problem = "it's [gone]; $(reboot)" };
    private readonly ProbeLedger ledger;
    private readonly SnapshotLoader loader;
    private readonly NearMissReporter reporter;
    private readonly AlertService alerts;
    private readonly DaemonLock running;
    private readonly Task workers;

    private DaemonScenario(string name)
    {
        this.name = name;
        var settings = SettingsReader.Load(Session.Config);
        var configuration = new RunningConfiguration(settings);
        ledger = new ProbeLedger(settings.Database, settings.Postfix, Session.Time);
        loader = new SnapshotLoader(
            new SnapshotLoaderOptions(settings.Database, settings.Snapshot), settings.Postfix, Session.Time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        reporter = new NearMissReporter(demand, loader, configuration, NullLogger<NearMissReporter>.Instance, Session.Time);
        alerts = new AlertService(configuration, loader, ledger, [channel], NullLogger<AlertService>.Instance, Session.Time);
        workers = Task.WhenAll(alerts.StartWorkers(stop.Token));
        running = StatusTests.Run(Session, "store", AuditEnd());
    }

    internal static IEnumerable<RemedyCase> Cases =>
    [
        Case("near-miss") with { Settles = true },
        Case("near-miss of what may be plain text") with { Shows = "near miss, [mx.partner.test] is configured" },
        Case("near-miss beyond the limit"),
        Case("alert-not-delivered"),
        Case("entry-ended") with { Shows = "end of --until" },
    ];

    internal override CliSession Session { get; } = new();

    internal override async Task BringAsync()
    {
        switch (name)
        {
            case "near-miss":
                Session.Succeed("domain", "add", "mx.partner.test", "--level", "encrypt");
                Session.Succeed("domain", "add", "[mx.partner.test]", "--level", "fingerprint", "--match", CliSession.Pin, "--note", "it's $(reboot) [here]");
                demand.Add("[mx.partner.test]:587"u8, DemandKind.NearMiss);
                break;
            case "near-miss of what may be plain text":
                Session.Succeed("domain", "add", "[mx.partner.test]", "--level", "may");
                demand.Add("[mx.partner.test]:587"u8, DemandKind.NearMiss);
                break;
            case "near-miss beyond the limit":
                Session.Succeed("domain", "add", "[mx.partner.test]", "--level", "secure");
                for (var port = 1; port <= 101; port++)
                    demand.Add(System.Text.Encoding.ASCII.GetBytes($"[mx.partner.test]:{port}"), DemandKind.NearMiss);
                break;
            case "entry-ended":
                Session.Succeed("domain", "add", "[mx.partner.test]", "--level", "secure");
                Session.Succeed("domain", "set", "[mx.partner.test]", "--level", "encrypt", "--until", "1h", "--reason", "it's $(reboot) [here]");
                loader.Poll();
                Session.Time.Advance(TimeSpan.FromHours(2));
                loader.Poll();
                Session.Time.Advance(SettledTime.Window);
                loader.Poll();
                using (var store = PolicyStore.Open(Session.Store, StoreAccess.Write, Session.Time))
                    EndedEntries.Write(store, loader.Ended, new ChangeOrigin(Actor.Daemon, EntryEnd.Command, "over") { IsAutomation = true }, SettingsReader.Load(Session.Config).Postfix);
                break;
            default:
                using (var store = PolicyStore.Open(Session.Store, StoreAccess.Write, Session.Time))
                    store.RaiseFinding(new Finding(FindingKind.ClockJumped, "prober", "it jumped", "date -u", Session.Time.GetUtcNow()));
                break;
        }

        await PassAsync();
        if (name == "alert-not-delivered")
            await Until.TrueAsync(() => Open().Any(finding => finding.Kind == FindingKind.AlertNotDelivered), () => alerts.Pass());
    }

    internal override Task PassAsync()
    {
        loader.Poll();
        reporter.Report();
        return Task.CompletedTask;
    }

    internal override IReadOnlyList<Finding> Open() => name == "near-miss beyond the limit" ? [.. base.Open().Where(open => open.Subject == "(more)")] : base.Open();

    public override async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await workers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        running.Dispose();
        alerts.Dispose();
        reporter.Dispose();
        loader.Dispose();
        ledger.Dispose();
        stop.Dispose();
        Session.Dispose();
    }

    private static RemedyCase Case(string name) => new(name, () => new DaemonScenario(name));
}
