using System.Runtime.CompilerServices;
using System.Text;
using CsCheck;
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

/// <summary>What a receiver that keeps an incident for each kind and subject sees: whatever happens, opened, escalated any number of times, settled.</summary>
public sealed class AlertStreamTests
{
    private static readonly FindingKind[] Kinds = [FindingKind.NewKey, FindingKind.DestinationUnreachable];

    private enum Step
    {
        Open, Close, OpenMany, CloseMany, Wait, WaitLong, Restart, ChannelDown, ChannelUp,
    }

    private static readonly Gen<(Step Step, int Kind, int Subject, int Count)[]> GenSteps =
        Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 1], Gen.Int[0, 5], Gen.Int[15, 30]).Array[4, 30];

    [Fact]
    public Task For_each_kind_and_subject_the_alerts_are_opened_escalated_and_settled_in_this_order() => GenSteps.SampleAsync(
        async steps =>
        {
            await using var bench = new Bench();
            foreach (var (step, kind, subject, count) in steps)
                await bench.DoAsync(step, Kinds[kind], subject, count);
            await bench.EndAsync();
            // The other one is switched off at times, and hears nothing then.
            foreach (var stream in bench.Channels[0].Told.GroupBy(told => (told.Finding.Kind, told.Finding.Subject)))
                AssertOrdered(stream.Key, [.. stream]);
        },
        iter: 40, threads: 1);

    [Fact]
    public async Task Who_was_told_together_is_settled_together_and_who_was_told_singly_singly()
    {
        await using var bench = new Bench();
        await bench.DoAsync(Step.Open, FindingKind.NewKey, 0, 1);
        await bench.DoAsync(Step.OpenMany, FindingKind.NewKey, 1, 27);
        var channel = bench.Channels[0];
        Assert.Equal(["new-key s0.example", "many-findings findings-2"], channel.Told.Select(told => $"{told.Finding.Kind} {told.Finding.Subject}"));

        await bench.DoAsync(Step.Restart, default, 0, 0);
        await bench.DoAsync(Step.WaitLong, default, 0, 0);
        Assert.Equal(
            ["escalated new-key s0.example 1", "escalated many-findings findings-2 1"],
            channel.Told.Skip(2).Select(told => $"{told.Event} {told.Finding.Kind} {told.Finding.Subject} {told.Escalation}"));
        bench.Close(FindingKind.NewKey, "m1-5.example");
        await bench.DoAsync(Step.Wait, default, 0, 0);
        Assert.Equal(4, channel.Told.Count);

        await bench.EndAsync();
        Assert.Equal(
            ["settled new-key s0.example", "settled many-findings findings-2"],
            channel.Told.Skip(4).Select(told => $"{told.Event} {told.Finding.Kind} {told.Finding.Subject}"));
    }

    [Fact]
    public async Task What_comes_back_within_the_pass_is_the_same_finding_and_nobody_hears_of_it()
    {
        await using var bench = new Bench();
        await bench.DoAsync(Step.Open, FindingKind.NewKey, 0, 1);
        for (var i = 0; i < 5; i++)
        {
            bench.Close(FindingKind.NewKey, "s0.example");
            bench.Time.Advance(TimeSpan.FromSeconds(20));
            await bench.SettleAsync();
            bench.Open(FindingKind.NewKey, "s0.example");
            await bench.SettleAsync();
        }

        Assert.Single(bench.Channels[0].Told);
        Assert.Equal(6, Assert.Single(bench.Read()).Occurrences);
    }

    [Fact]
    public async Task A_channel_that_has_delivered_is_not_told_again_after_a_restart_because_another_one_has_not()
    {
        await using var bench = new Bench();
        var (good, bad) = (bench.Channels[0], bench.Channels[1]);
        (bad.Problem, bad.Attempts) = ("busy", 100);
        bench.Open(FindingKind.NewKey, "s0.example");
        await bench.PassUntilAsync(() => good.Told.Count == 1 && bad.Tried > 0);
        await bench.PassUntilAsync(() => bench.Deliveries().Count == 1);

        bad.Problem = null;
        await bench.RestartAsync();
        await bench.PassUntilAsync(() => bad.Told.Count == 1);
        await bench.SettleAsync();
        Assert.Single(good.Told);
        Assert.Empty(bench.Deliveries());
    }

    private static void AssertOrdered((string Kind, string Subject) key, List<AlertMessage> stream)
    {
        var (isOpen, escalation) = (false, 0);
        var text = $"{key}: {string.Join(", ", stream.Select(told => $"{told.Event} {told.Escalation}"))}";
        foreach (var told in stream)
        {
            switch (told.Event)
            {
                case "opened":
                    Assert.True(!isOpen && told.Escalation == 0, text);
                    (isOpen, escalation) = (true, 0);
                    break;
                case "escalated":
                    Assert.True(isOpen && told.Escalation > escalation, text);
                    escalation = told.Escalation;
                    break;
                default:
                    Assert.True(isOpen, text);
                    isOpen = false;
                    break;
            }
        }

        Assert.False(isOpen, text);
    }

    /// <summary>A store, two channels and the service that is restarted over them.</summary>
    private sealed class Bench : IAsyncDisposable
    {
        private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-stream").FullName;
        private readonly RunningConfiguration configuration;
        private readonly SnapshotLoader loader;
        private readonly HashSet<(FindingKind Kind, string Subject)> open = [];
        private CancellationTokenSource stop = new();
        private ProbeLedger ledger;
        private AlertService alerts;
        private Task workers;

        public Bench()
        {
            configuration = new RunningConfiguration(
                SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes($"[store]\ndatabase = {directory}/policy.db\n")));
            PolicyStore.Create(Database, Actor.Daemon, Time).Dispose();
            loader = new SnapshotLoader(
                new SnapshotLoaderOptions(Database, configuration.Settings.Snapshot), configuration.Settings.Postfix, Time, NullLogger<SnapshotLoader>.Instance);
            loader.Start();
            (ledger, alerts, workers) = Begin();
        }

        public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

        public FakeChannel[] Channels { get; } = [new("alert_command"), new("alert_webhook")];

        private string Database => configuration.Settings.Database;

        public async Task DoAsync(Step step, FindingKind kind, int subject, int count)
        {
            switch (step)
            {
                case Step.Open:
                    Open(kind, $"s{subject}.example");
                    break;
                case Step.Close:
                    Close(kind, $"s{subject}.example");
                    break;
                case Step.OpenMany:
                    Change(store => Enumerable.Range(0, count).ToList().ForEach(i => Open(store, kind, $"m{subject}-{i}.example")));
                    break;
                case Step.CloseMany:
                    Change(store => open.Where(one => one.Kind == kind).ToList().ForEach(one => Close(store, one.Kind, one.Subject)));
                    break;
                case Step.Wait:
                    Time.Advance(TimeSpan.FromMinutes(1));
                    break;
                case Step.WaitLong:
                    Time.Advance(TimeSpan.FromHours(5 + subject));
                    break;
                case Step.Restart:
                    await RestartAsync();
                    break;
                case Step.ChannelDown:
                    Channels[1].IsOn = false;
                    break;
                default:
                    Channels[1].IsOn = true;
                    break;
            }

            await SettleAsync();
        }

        public void Open(FindingKind kind, string subject) => Change(store => Open(store, kind, subject));

        public void Close(FindingKind kind, string subject) => Change(store => Close(store, kind, subject));

        public IReadOnlyList<FindingAlert> Read() => ledger.ReadAlerts();

        public IReadOnlyList<AlertDelivery> Deliveries() => ledger.ReadDeliveries();

        public async Task EndAsync()
        {
            Change(store => open.ToList().ForEach(one => Close(store, one.Kind, one.Subject)));
            for (var i = 0; i < 3; i++)
            {
                Time.Advance(TimeSpan.FromMinutes(1));
                await SettleAsync();
            }
        }

        public async Task RestartAsync()
        {
            await stop.CancelAsync();
            await workers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ledger.Dispose();
            alerts.Dispose();
            stop.Dispose();
            stop = new CancellationTokenSource();
            (ledger, alerts, workers) = Begin();
        }

        public Task PassUntilAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") => Until.TrueAsync(condition, () => alerts.Pass(), what);

        public async Task SettleAsync()
        {
            for (var i = 0; i < 3; i++)
            {
                alerts.Pass();
                await PassUntilAsync(() => alerts.Waiting == 0);
            }
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
            var opened = new ProbeLedger(Database, configuration.Settings.Postfix, Time);
            var service = new AlertService(configuration, loader, opened, Channels, NullLogger<AlertService>.Instance, Time);
            return (opened, service, Task.WhenAll(service.StartWorkers(stop.Token)));
        }

        private void Change(Action<PolicyStore> change)
        {
            using var store = PolicyStore.Open(Database, StoreAccess.Write, Time);
            change(store);
        }

        private void Open(PolicyStore store, FindingKind kind, string subject)
        {
            open.Add((kind, subject));
            store.RaiseFinding(new Finding(kind, subject, "detail", "policyctl status", Time.GetUtcNow()));
        }

        private void Close(PolicyStore store, FindingKind kind, string subject)
        {
            open.Remove((kind, subject));
            store.CloseFinding(kind, subject);
        }
    }
}
