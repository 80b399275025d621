using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Alerts;

/// <summary>Findings in a real store, told through channels of the test's.</summary>
public sealed class AlertServiceTests : IAsyncDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-alerts").FullName;
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
    private readonly FakeChannel command = new("alert_command");
    private readonly FakeChannel webhook = new("alert_webhook");
    private readonly RunningConfiguration configuration;
    private readonly SnapshotLoader loader;
    private readonly CancellationTokenSource stop = new();
    private ProbeLedger ledger;
    // The call of the ledger that meets a fault; null where it works.
    private string? faultyCall;
    private AlertService alerts;
    private Task workers;

    public AlertServiceTests()
    {
        configuration = new RunningConfiguration(
            SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes($"[store]\ndatabase = {directory}/policy.db\n")));
        PolicyStore.Create(Database, Actor.Daemon, time).Dispose();
        loader = new SnapshotLoader(
            new SnapshotLoaderOptions(Database, configuration.Settings.Snapshot), configuration.Settings.Postfix, time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        (ledger, alerts, workers) = Begin();
    }

    private string Database => configuration.Settings.Database;

    [Fact]
    public async Task A_finding_is_told_once_on_every_channel_again_when_it_is_old_and_when_it_is_over()
    {
        Raise(FindingKind.PinMismatch, "a.example");
        await Passes(() => command.Told.Count == 1 && webhook.Told.Count == 1);

        Raise(FindingKind.PinMismatch, "a.example");
        time.Advance(TimeSpan.FromHours(3.9));
        await Settle();
        Assert.Single(command.Told);

        time.Advance(TimeSpan.FromHours(0.2));
        await Passes(() => command.Told.Count == 2);
        Close(FindingKind.PinMismatch, "a.example");
        await Passes(() => command.Told.Count == 3);
        await Settle();

        Assert.Equal(["opened 0", "escalated 1", "settled 1"], command.Told.Select(told => $"{told.Event} {told.Escalation}"));
        Assert.Equal(["opened", "escalated", "settled"], webhook.Told.Select(told => told.Event));
        Assert.Equal(0, alerts.Waiting);
    }

    /// <summary>The status file is made of what was read here; it reads no store by itself.</summary>
    [Fact]
    public void What_the_store_had_is_kept_for_others_and_stays_while_it_cannot_be_read()
    {
        Assert.Null(alerts.Stored);
        Raise(FindingKind.PinMismatch, "a.example");
        alerts.Pass();
        Assert.Equal("a.example", Assert.Single(alerts.Stored!).Finding.Subject);

        Raise(FindingKind.PinMismatch, "b.example");
        faultyCall = nameof(IAlertLedger.ReadAlerts);
        time.Advance(TimeSpan.FromMinutes(1));
        alerts.Pass();
        Assert.Single(alerts.Stored!);

        faultyCall = null;
        time.Advance(TimeSpan.FromMinutes(1));
        alerts.Pass();
        Assert.Equal(2, alerts.Stored!.Count);
    }

    [Fact]
    public async Task Nobody_is_alerted_of_advice()
    {
        Raise(FindingKind.PinBesideDane, "a.example");
        Raise(FindingKind.PinMismatch, "b.example");
        await Passes(() => command.Told.Count == 1);
        time.Advance(TimeSpan.FromHours(4.1));
        await Passes(() => command.Told.Count == 2);
        Close(FindingKind.PinBesideDane, "a.example");
        Close(FindingKind.PinMismatch, "b.example");
        await Passes(() => command.Told.Count == 3);
        await Settle();

        Assert.Equal(["opened", "escalated", "settled"], command.Told.Select(told => told.Event));
        Assert.All(command.Told, told => Assert.Equal("b.example", told.Finding.Subject));
    }

    [Fact]
    public async Task A_restart_neither_repeats_nor_forgets()
    {
        Raise(FindingKind.PinMismatch, "a.example");
        await Passes(() => command.Told.Count == 1);
        await Settle();
        await Restart();
        await Settle();
        Assert.Single(command.Told);

        Close(FindingKind.PinMismatch, "a.example");
        await Restart();
        await Passes(() => command.Told.Count == 2);

        Assert.Equal("settled", command.Told.Last().Event);
    }

    [Fact]
    public async Task What_settles_before_anybody_heard_of_it_is_not_told()
    {
        Raise(FindingKind.PinMismatch, "a.example");
        Close(FindingKind.PinMismatch, "a.example");
        Raise(FindingKind.NewKey, "b.example");

        await Passes(() => command.Told.Count == 1);
        await Settle();

        Assert.Equal("b.example", Assert.Single(command.Told).Finding.Subject);
    }

    [Fact]
    public async Task Very_many_findings_are_one_message_and_each_is_told_of()
    {
        for (var i = 0; i < AlertPlan.MaxSingle + 30; i++)
            Raise(FindingKind.DestinationUnreachable, $"d{i}.example");

        await Passes(() => command.Told.Count == 1);
        await Settle();

        var told = Assert.Single(command.Told);
        Assert.Equal((AlertMessage.Many, AlertPlan.MaxSingle + 30), (told.Finding.Kind, told.Finding.Affects));
        Assert.Contains("50 destination-unreachable", told.Finding.Detail, StringComparison.Ordinal);
        Assert.All(ledger.ReadAlerts(), finding => Assert.NotNull(finding.Notified));
    }

    [Fact]
    public async Task A_channel_that_fails_is_a_finding_for_the_other_one_and_settles_when_it_works_again()
    {
        command.Problem = "exit status 1";
        Raise(FindingKind.PinMismatch, "a.example");

        await Passes(() => webhook.Told.Any(told => told.Finding.Kind == "alert-not-delivered"));
        await Settle();
        var finding = webhook.Told.Single(told => told.Finding.Kind == "alert-not-delivered");
        Assert.Equal("alert_command", finding.Finding.Subject);
        Assert.Contains("exit status 1", finding.Finding.Detail, StringComparison.Ordinal);
        Assert.Equal(1, command.Tried); // the finding about it does not go through it, nor does its failure make another

        command.Problem = null;
        Raise(FindingKind.NewKey, "b.example");
        await Passes(() => command.Told.Count == 1);
        await Settle();
        time.Advance(AlertPlan.SettlesAfter);
        await Passes(() => webhook.Told.Any(told => told is { Finding.Kind: "alert-not-delivered", Event: "settled" }));
        Assert.Equal(["b.example"], command.Told.Select(told => told.Finding.Subject));
    }

    [Fact]
    public async Task Without_a_channel_the_journal_is_enough()
    {
        command.IsOn = webhook.IsOn = false;
        Raise(FindingKind.PinMismatch, "a.example");

        await Passes(() => ledger.ReadAlerts().All(finding => finding.Notified is not null));

        Assert.Equal(0, command.Tried + webhook.Tried);
    }

    [Theory]
    [InlineData(nameof(IAlertLedger.ReadAlerts), 1)]
    [InlineData(nameof(IAlertLedger.ReadDeliveries), 1)]
    [InlineData(nameof(IAlertLedger.MarkTogether), AlertPlan.MaxSingle + 1)]
    public async Task News_that_met_a_fault_of_the_store_is_told_when_it_works_again(string call, int findings)
    {
        for (var number = 0; number < findings; number++)
            Raise(FindingKind.PinMismatch, $"d{number}.example");
        faultyCall = call;
        alerts.Pass();
        Assert.Empty(command.Told);

        // Nothing else changes.
        faultyCall = null;
        await Passes(() => command.Told.Count == 1);
    }

    [Fact]
    public async Task A_store_that_cannot_be_used_is_told_without_it_and_so_is_its_end()
    {
        await Settle();
        File.Move(Database, Database + ".away");
        loader.Poll();
        Assert.NotEmpty(loader.Findings);
        await Settle();
        Assert.Empty(command.Told); // for a moment it may be locked or moved

        time.Advance(TimeSpan.FromMinutes(2));
        await Passes(() => command.Told.Count == 1);
        File.Move(Database + ".away", Database);
        loader.Poll();
        Assert.Empty(loader.Findings);
        await Settle();
        time.Advance(AlertPlan.SettlesAfter);
        await Passes(() => command.Told.Count == 2);
        await Settle();

        Assert.Equal(["store-unavailable opened", "store-unavailable settled"], command.Told.Select(told => $"{told.Finding.Kind} {told.Event}"));
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await workers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        alerts.Dispose();
        ledger.Dispose();
        loader.Dispose();
        stop.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private (ProbeLedger Ledger, AlertService Alerts, Task Workers) Begin()
    {
        var opened = new ProbeLedger(Database, configuration.Settings.Postfix, time);
        var service = new AlertService(configuration, loader, new FaultyLedger(opened, () => faultyCall), [command, webhook], NullLogger<AlertService>.Instance, time);
        return (opened, service, Task.WhenAll(service.StartWorkers(stop.Token)));
    }

    private async Task Restart()
    {
        await Settle();
        ledger.Dispose();
        alerts.Dispose();
        (ledger, alerts, workers) = Begin();
    }

    private Task Passes(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") => Until.TrueAsync(condition, () => alerts.Pass(), what);

    /// <summary>Until nothing is under way any more, and what was is written down.</summary>
    private async Task Settle()
    {
        alerts.Pass();
        await Passes(() => alerts.Waiting == 0);
        alerts.Pass();
    }

    private void Raise(FindingKind kind, string subject)
    {
        using var store = PolicyStore.Open(Database, StoreAccess.Write, time);
        store.RaiseFinding(new Finding(kind, subject, "detail", "remedy", time.GetUtcNow()));
    }

    private void Close(FindingKind kind, string subject)
    {
        using var store = PolicyStore.Open(Database, StoreAccess.Write, time);
        Assert.True(store.CloseFinding(kind, subject));
        time.Advance(AlertPlan.SettlesAfter);
    }

    /// <summary>A ledger of which one call meets a fault.</summary>
    private sealed class FaultyLedger(IAlertLedger of, Func<string?> fault) : IAlertLedger
    {
        public IReadOnlyList<FindingAlert> ReadAlerts() => Works(nameof(ReadAlerts)).ReadAlerts();

        public void MarkNotified(IReadOnlyCollection<long> ids, DateTimeOffset at, int escalation = 0) => Works(nameof(MarkNotified)).MarkNotified(ids, at, escalation);

        public void MarkRecovered(IReadOnlyCollection<long> ids, DateTimeOffset at) => Works(nameof(MarkRecovered)).MarkRecovered(ids, at);

        public void MarkTogether(IReadOnlyCollection<long> ids) => Works(nameof(MarkTogether)).MarkTogether(ids);

        public void MarkDelivered(AlertDelivery delivery) => Works(nameof(MarkDelivered)).MarkDelivered(delivery);

        public IReadOnlyList<AlertDelivery> ReadDeliveries() => Works(nameof(ReadDeliveries)).ReadDeliveries();

        private IAlertLedger Works(string call) => call == fault() ? throw new LedgerUnavailableException("the disk is gone") : of;
    }
}
