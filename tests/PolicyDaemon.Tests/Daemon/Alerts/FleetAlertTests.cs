using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Fleet;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Store.Fleet;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Alerts;

/// <summary>Of the daemons over one store the one that holds the lease tells people; each tells by itself that the store is out of its reach.</summary>
public sealed class FleetAlertTests : IAsyncDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-alerts").FullName;
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
    private readonly LeaseTable table;
    private readonly Node one;
    private readonly Node two;

    public FleetAlertTests()
    {
        table = new LeaseTable(time);
        PolicyStore.Create(Database, Actor.Daemon, time).Dispose();
        (one, two) = (new Node(this, "mx1"), new Node(this, "mx2"));
    }

    private string Database => Path.Combine(directory, "policy.db");

    [Fact]
    public async Task One_tells_and_the_next_one_goes_on_where_it_was()
    {
        Turn(one, two);
        Raise("a.example");
        await Passes(() => one.Told.Count == 1);
        Settle();

        one.Lease.Release(table);
        Turn(two, one);
        Assert.True(two.Lease.IsHeld);
        Raise("b.example");
        await Passes(() => two.Told.Count == 1);
        Settle();
        Close("a.example");
        await Passes(() => two.Told.Count == 2);

        Assert.Equal(["a.example opened"], one.Told);
        Assert.Equal(["b.example opened", "a.example settled"], two.Told);
    }

    /// <summary>Told, and not written down before the lease was another one's: it comes twice, and is not lost.</summary>
    [Fact]
    public async Task What_was_not_written_down_is_told_again()
    {
        Turn(one, two);
        Raise("a.example");
        one.Alerts.Pass();
        await Until.TrueAsync(() => one.Told.Count == 1);
        one.Lease.Release(table);
        Turn(two, one);

        await Passes(() => two.Told.Count == 1);
        Settle();

        Assert.Equal(["a.example opened"], two.Told);
        Assert.Equal(0, one.Alerts.Waiting);
    }

    /// <summary>The one that probed is gone, and those that are left may not: the first of them tells people.</summary>
    [Fact]
    public async Task Where_nobody_may_take_over_one_tells_that()
    {
        NodeState gone = Named("mx0") with { Age = TimeSpan.FromMinutes(2), Unattended = TimeSpan.FromSeconds(100) };
        IReadOnlyList<NodeState> nodes = [gone, .. new[] { "mx1", "mx2" }.Select(name => Named(name) with { IsRefused = true, Unattended = gone.Unattended })];
        one.Fleet.Take(nodes, "mx1", time.GetUtcNow());
        two.Fleet.Take(nodes, "mx2", time.GetUtcNow());
        Assert.Equal(2, two.Fleet.All.Count);

        one.Alerts.Pass();
        two.Alerts.Pass();
        await Until.TrueAsync(() => one.Told.Count == 2);
        Assert.Equal(["default opened", "mx0 opened"], one.Told.Order());
        Assert.Empty(two.Told);

        // Somebody took over, and has the word.
        one.Fleet.Take([], "mx1", time.GetUtcNow());
        Assert.Empty(one.Fleet.All);

        NodeState Named(string name) => new(name, "1.0.0", "default", MayProbe: false, HoldsLease: false, "sha256", 1, TimeSpan.Zero, time.GetUtcNow() - TimeSpan.FromMinutes(2), TimeSpan.Zero);
    }

    [Fact]
    public async Task Without_the_store_each_tells_that_by_itself_after_a_minute_and_nothing_else()
    {
        Turn(one, two);
        Raise("a.example");
        await Passes(() => one.Told.Count == 1);
        Settle();
        File.Move(Database, Database + ".away");
        two.Loader.Poll();
        two.Alerts.Pass();
        Assert.Empty(two.Told);

        time.Advance(TimeSpan.FromMinutes(1));
        two.Loader.Poll();
        await Until.TrueAsync(() => two.Told.Count == 1, two.Alerts.Pass);
        File.Move(Database + ".away", Database);
        two.Loader.Poll();
        two.Alerts.Pass();
        time.Advance(AlertPlan.SettlesAfter);
        await Until.TrueAsync(() => two.Told.Count == 2, () =>
        {
            time.Advance(TimeSpan.FromSeconds(15));
            two.Alerts.Pass();
        });

        Assert.Equal([$"{Database} opened", $"{Database} settled"], two.Told);
    }

    public async ValueTask DisposeAsync()
    {
        await one.DisposeAsync();
        await two.DisposeAsync();
        table.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private void Turn(Node first, Node second)
    {
        first.Lease.Step(table, mayHold: true);
        second.Lease.Step(table, mayHold: true);
    }

    private Task Passes(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") => Until.TrueAsync(condition, Pass, what);

    private void Pass()
    {
        foreach (var node in (Node[])[one, two])
        {
            // Whoever holds it keeps it, and what a pass waits for comes.
            if (node.Lease.IsHeld)
                node.Lease.Step(table, mayHold: true);
            node.Alerts.Pass();
        }
    }

    /// <summary>What was told is written down.</summary>
    private void Settle()
    {
        Pass();
        Pass();
    }

    private void Raise(string subject)
    {
        using var store = PolicyStore.Open(Database, StoreAccess.Write, time);
        store.RaiseFinding(new Finding(FindingKind.PinMismatch, subject, "detail", "remedy", time.GetUtcNow()));
    }

    private void Close(string subject)
    {
        using (var store = PolicyStore.Open(Database, StoreAccess.Write, time))
            Assert.True(store.CloseFinding(FindingKind.PinMismatch, subject));
        // In steps that a lease outlasts.
        for (var passed = TimeSpan.Zero; passed < AlertPlan.SettlesAfter; passed += TimeSpan.FromSeconds(5))
        {
            time.Advance(TimeSpan.FromSeconds(5));
            Pass();
        }
    }

    private sealed class Node : IAsyncDisposable
    {
        private readonly FakeChannel channel = new("alert_command");
        private readonly CancellationTokenSource stop = new();
        private readonly ProbeLedger ledger;
        private readonly Task workers;

        internal Node(FleetAlertTests tests, string name)
        {
            var configuration = new RunningConfiguration(SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes($"[store]\ndatabase = {tests.Database}\nsnapshot = {tests.directory}/{name}.snapshot\n")));
            Lease = new ProberLease("default", name, name + "-1", tests.time);
            Loader = new SnapshotLoader(
                new SnapshotLoaderOptions(tests.Database, configuration.Settings.Snapshot), configuration.Settings.Postfix, tests.time, NullLogger<SnapshotLoader>.Instance);
            Loader.Start();
            ledger = new ProbeLedger(tests.Database, configuration.Settings.Postfix, tests.time, Lease);
            Alerts = new AlertService(configuration, Loader, ledger, [channel], NullLogger<AlertService>.Instance, tests.time, Lease, Fleet);
            workers = Task.WhenAll(Alerts.StartWorkers(stop.Token));
        }

        internal ProberLease Lease { get; }

        internal UnattendedFleet Fleet { get; } = new();

        internal SnapshotLoader Loader { get; }

        internal AlertService Alerts { get; }

        internal IReadOnlyList<string> Told => [.. channel.Told.Select(message => $"{message.Finding.Subject} {message.Event}")];

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await workers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Alerts.Dispose();
            ledger.Dispose();
            Loader.Dispose();
            Lease.Dispose();
            stop.Dispose();
        }
    }
}
