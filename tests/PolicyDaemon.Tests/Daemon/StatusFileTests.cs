using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

/// <summary>The findings of the store in the status file, as the daemon's parts put them there.</summary>
public sealed class StatusFileTests : IAsyncDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-status").FullName;
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
    private readonly RunningConfiguration configuration;
    private readonly SnapshotLoader loader;
    private readonly LookupServer server;
    private readonly ProbeLedger ledger;
    private readonly AlertService alerts;
    private readonly StatusWriter writer;

    public StatusFileTests()
    {
        configuration = new RunningConfiguration(SettingsReader.Parse("x.conf", System.Text.Encoding.UTF8.GetBytes($"[store]\ndatabase = {directory}/policy.db\n")));
        var settings = configuration.Settings;
        PolicyStore.Create(settings.Database, Actor.Daemon, time).Dispose();
        loader = new SnapshotLoader(new SnapshotLoaderOptions(settings.Database, settings.Snapshot), settings.Postfix, time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        var counters = new LookupCounters();
        server = new LookupServer(
            new LookupService(loader, settings.Postfix, new LookupDemand(), counters, NullLogger<LookupService>.Instance, time),
            new LookupOptions { Endpoints = [] }, NullLogger<LookupServer>.Instance, time);
        ledger = new ProbeLedger(settings.Database, settings.Postfix, time);
        alerts = new AlertService(configuration, loader, ledger, [], NullLogger<AlertService>.Instance, time);
        writer = new StatusWriter(configuration, loader, server, counters, NullLogger<StatusWriter>.Instance, time, alerts: alerts);
    }

    [Fact]
    public void A_finding_of_the_store_is_in_the_file_within_seconds_and_so_is_its_end()
    {
        Assert.Equal((0, 0), Written());
        var since = time.GetUtcNow();
        using (var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, time))
            store.RaiseFinding(new Finding(FindingKind.BrakeOn, "prober", "many new keys", "policyctl status", since) { Affects = 7 });

        Assert.Equal((1, 1), Written());
        var finding = Read().Findings[0];
        Assert.Equal(
            ("brake-on", "prober", "look-at-it", "many new keys", "policyctl status", since, 7),
            (finding.Kind, finding.Subject, finding.Severity, finding.Detail, finding.Remedy, finding.Since, finding.Affects));
        Assert.Equal(1, Read().FindingCounts!.Severities["look-at-it"]);

        using (var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, time))
            Assert.True(store.CloseFinding(FindingKind.BrakeOn, "prober"));
        Assert.Equal((0, 0), Written());
    }

    [Fact]
    public void Nothing_new_among_many_findings_is_not_written_again_before_its_time()
    {
        using (var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, time))
        {
            for (var number = 0; number < 300; number++)
                store.RaiseFinding(new Finding(FindingKind.DnsTrouble, $"d{number}.example", "servfail", "policyctl status", time.GetUtcNow()));
        }

        Assert.Equal((OpenFindings.MostListed, 300), Written());
        var file = configuration.Settings.StatusFile;
        File.Delete(file);
        writer.WriteIfNews();
        Assert.False(File.Exists(file));

        time.Advance(TimeSpan.FromSeconds(10));
        writer.WriteIfNews();
        Assert.True(File.Exists(file));
    }

    public async ValueTask DisposeAsync()
    {
        writer.Dispose();
        alerts.Dispose();
        ledger.Dispose();
        await server.DisposeAsync();
        loader.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>How many findings the file lists and counts once alerts and writer have had their turn.</summary>
    private (int Listed, int Open) Written()
    {
        // Less than after which the file is written anyway.
        time.Advance(TimeSpan.FromSeconds(3));
        alerts.Pass();
        writer.WriteIfNews();
        var status = Read();
        return (status.Findings.Count, status.FindingCounts!.Open);
    }

    private DaemonStatus Read()
    {
        var status = DaemonStatusFile.TryRead(configuration.Settings.StatusFile);
        Assert.NotNull(status);
        return status;
    }
}
