using System.Net;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Store.Probing;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Fleet;

/// <summary>What daemons keep of one another in a store on a server: nodes, the lease, claims, requests; and that a deposed holder writes nothing.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class FleetTablesTests : IDisposable
{
    private static readonly TimeSpan Term = TimeSpan.FromSeconds(20);

    private readonly string store = PostgreSqlServer.Instance.CreateDatabase();
    private readonly FleetTables tables;

    public FleetTablesTests()
    {
        PolicyStore.Create(store, Actor.Daemon, TimeProvider.System).Dispose();
        tables = EngineChoice.For(store).OpenFleet(StoreAccess.Write)!;
    }

    public void Dispose()
    {
        tables.Dispose();
        PostgreSqlServer.Instance.DropDatabase(store);
    }

    [Fact]
    public void A_store_in_a_file_has_none()
    {
        var file = Path.Combine(Path.GetTempPath(), "policy.db");
        Assert.Null(EngineChoice.For(file).OpenFleet(StoreAccess.Read));
        Assert.Null(AddressClaims.For(file, TimeProvider.System));
        Assert.Empty(NodeState.Read(file));
    }

    [Fact]
    public void A_node_is_there_as_it_said_last()
    {
        tables.Beat(Node("mx7") with { Sequence = null });
        tables.Beat(Node("mx8") with { Probes = 0, Vantage = "elsewhere", Ahead = -7000 });
        tables.Beat(Node("mx7") with { Sequence = 12 });
        tables.TakeLease("default", "mx7", "mx7-1", Term);

        var nodes = NodeState.Read(store);

        Assert.Equal(["mx7", "mx8"], nodes.Select(node => node.Name));
        Assert.Equal((12L, true, true, false), (nodes[0].Sequence!.Value, nodes[0].HoldsLease, nodes[0].MayProbe, nodes[0].IsStale));
        Assert.Equal((false, false, TimeSpan.FromSeconds(-7)), (nodes[1].HoldsLease, nodes[1].MayProbe, nodes[1].Ahead));
        tables.Beat(Node("mx9"));
        Assert.Equal((2, 0), (tables.CountProbers("default", NodeState.StaleAfter), tables.CountProbers("elsewhere", NodeState.StaleAfter)));
        Sql("UPDATE node SET seen = seen - 61000 WHERE name = 'mx9'");
        Assert.Equal(1, tables.CountProbers("default", NodeState.StaleAfter));
        Assert.True(NodeState.Remove(store, "mx9"));
        Sql("UPDATE node SET seen = seen - 61000 WHERE name = 'mx8'");
        Assert.True(NodeState.Read(store)[1].IsStale);
        Assert.True(NodeState.Remove(store, "mx8"));
        Assert.False(NodeState.Remove(store, "mx8"));
        Assert.Single(NodeState.Read(store));
    }

    [Fact]
    public void The_lease_has_one_holder_until_it_runs_out_and_a_number_for_each_take()
    {
        Assert.Null(tables.ReadLease("default"));
        Assert.Equal(1, tables.TakeLease("default", "mx7", "mx7-1", Term));
        Assert.Null(tables.TakeLease("default", "mx8", "mx8-1", Term));
        Assert.Equal(1, tables.TakeLease("elsewhere", "mx8", "mx8-1", Term));
        Assert.InRange(tables.ReadLease("default")!.Left, 1, (long)Term.TotalMilliseconds);
        var first = new LeaseToken("default", "mx7-1", 1);
        Assert.True(tables.RenewLease(first, Term));

        // The same process takes it anew, and another one once it has run out.
        Assert.Equal(2, tables.TakeLease("default", "mx7", "mx7-1", Term));
        Assert.False(tables.RenewLease(first, Term));
        Expire();
        Assert.Equal(3, tables.TakeLease("default", "mx8", "mx8-1", Term));
        Assert.Equal("mx8", tables.ReadLease("default")!.Holder);
        tables.ReleaseLease(first);
        Assert.True(tables.ReadLease("default")!.Left > 0);
        tables.ReleaseLease(new LeaseToken("default", "mx8-1", 3));
        Assert.Equal(4, tables.TakeLease("default", "mx7", "mx7-2", Term));
    }

    [Fact]
    public void Of_many_that_take_it_at_once_one_has_it()
    {
        var taken = new int[12];
        Parallel.For(0, taken.Length, new ParallelOptions { MaxDegreeOfParallelism = taken.Length }, i =>
        {
            using var own = EngineChoice.For(store).OpenFleet(StoreAccess.Write)!;
            taken[i] = own.TakeLease("default", $"mx{i}", $"mx{i}-1", Term) is null ? 0 : 1;
        });

        Assert.Equal(1, taken.Sum());
    }

    [Fact]
    public void Requests_are_kept_once_bounded_and_taken_by_the_holder_alone()
    {
        tables.TakeLease("default", "mx7", "mx7-1", Term);
        tables.Request(["a.example", "b.example"], most: 3);
        tables.Request(["b.example", "a.example"], most: 3);
        tables.Request(["c.example", "d.example", "e.example"], most: 3);

        Assert.Empty(tables.TakeRequests(new LeaseToken("default", "mx8-1", 1), 10));
        Assert.Equal(["a.example", "b.example", "c.example"], tables.TakeRequests(new LeaseToken("default", "mx7-1", 1), 10).Order());
        Assert.Empty(tables.TakeRequests(new LeaseToken("default", "mx7-1", 1), 10));
    }

    [Fact]
    public async Task An_address_has_one_connection_whoever_wants_it()
    {
        using var one = AddressClaims.For(store, TimeProvider.System)!;
        using var two = AddressClaims.For(store, TimeProvider.System)!;
        var address = IPAddress.Parse("192.0.2.1");
        var stop = TestContext.Current.CancellationToken;
        var (open, most, count) = (0, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            await using var claim = await (i % 2 == 0 ? one : two).ClaimAsync(address, stop);
            Assert.True(claim.IsHeld);
            most = Math.Max(most, Interlocked.Increment(ref open));
            for (var turn = 0; turn < 20; turn++)
                await Task.Yield();
            Interlocked.Decrement(ref open);
            Interlocked.Increment(ref count);
        }));

        Assert.Equal((1, 12), (most, count));
        // Others do not wait for it.
        await using var here = await one.ClaimAsync(address, stop);
        await using var other = await two.ClaimAsync(IPAddress.Parse("192.0.2.2"), stop);
        Assert.Equal(2, Count("probe_claim"));
    }

    [Fact]
    public async Task A_claim_of_one_that_died_runs_out()
    {
        var stop = TestContext.Current.CancellationToken;
        using var one = AddressClaims.For(store, TimeProvider.System)!;
        using var two = AddressClaims.For(store, TimeProvider.System)!;
        var address = IPAddress.Parse("2001:db8::1");
        await using var dead = await one.ClaimAsync(address, stop);
        var waits = two.ClaimAsync(address, stop);
        Sql("UPDATE probe_claim SET expires = 0");
        await using var next = await waits;

        Assert.True(next.IsHeld);
        // What it lets go of now is another one's.
        await dead.DisposeAsync();
        Assert.Equal(1, Count("probe_claim"));
    }

    /// <summary>Every method of the ledger either reads, or is refused to a deposed holder with nothing changed.</summary>
    [Fact]
    public async Task A_deposed_holder_writes_nothing()
    {
        var clock = new SettableClock(TimeProvider.System.GetUtcNow());
        using var lease = new ProberLease("default", "mx7", "mx7-1", TimeProvider.System);
        lease.Step(tables, mayHold: true);
        using var ledger = new ProbeLedger(store, PostfixSettings.Default, clock, lease);
        using var fixture = new LedgerFixture();
        using (var opened = PolicyStore.Open(store, StoreAccess.Write, clock))
        using (var change = opened.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default))
        {
            change.Put(TemporaryStore.Pinned("a.example", LedgerFixture.Pin(0), LedgerFixture.Pin(1, PinState.Candidate)));
            change.Commit();
        }

        var now = clock.GetUtcNow();
        var finding = new Finding(FindingKind.BrakeOn, "prober", "detail", "remedy", now);
        var observation = fixture.Observation(1, ProbeOutcome.Secured, 0) with { At = now };
        var result = fixture.Result("a.example", LedgerFixture.Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)) with { At = now };
        var writes = new (string Name, Func<Task> Write)[]
        {
            ("RecallFuture", () => Done(() => ledger.RecallFuture(now, now))),
            ("ClockSet", () => Done(() => ledger.ClockSet(now))),
            ("BrakeSet", () => Done(() => ledger.BrakeSet(now))),
            ("Record", () => Done(() => ledger.Record([finding]))),
            ("RecordAsync", () => ledger.RecordAsync(observation)),
            ("RecordAsync", () => ledger.RecordAsync(result)),
            ("MarkNotified", () => Done(() => ledger.MarkNotified([1], now))),
            ("MarkRecovered", () => Done(() => ledger.MarkRecovered([1], now))),
            ("MarkTogether", () => Done(() => ledger.MarkTogether([1]))),
            ("MarkDelivered", () => Done(() => ledger.MarkDelivered(new AlertDelivery(1, "alert_command", "opened", 0)))),
            ("RecordNodes", () => Done(() => ledger.RecordNodes([finding]))),
        };
        string[] reads = ["ReadProberFindings", "ListDue", "ListUnprobed", "Count", "FindElsewhere", "Sample", "Read", "ReadHistory", "Sharing", "ReadBrake", "ReadAlerts", "ReadDeliveries"];
        Assert.Equal(
            typeof(IProbeLedger).GetMethods().Concat(typeof(IAlertLedger).GetMethods()).Select(method => method.Name).Order(StringComparer.Ordinal),
            writes.Select(write => write.Name).Where(name => name != "RecordNodes").Concat(reads).Order(StringComparer.Ordinal));

        // Another node has it by now, which this one, whose clock stood still, does not know yet.
        Expire();
        Assert.Equal(2, tables.TakeLease("default", "mx8", "mx8-1", Term));
        Assert.True(lease.IsHeld);
        var before = Everything();
        foreach (var (name, write) in writes)
        {
            var refused = await Assert.ThrowsAsync<LedgerUnavailableException>(write);
            Assert.Contains("another node", refused.Message, StringComparison.Ordinal);
            Assert.True(before.SequenceEqual(Everything()), name);
        }

        // The same of one that holds it is written.
        lease.Drop();
        tables.ReleaseLease(new LeaseToken("default", "mx8-1", 2));
        lease.Step(tables, mayHold: true);
        foreach (var (_, write) in writes)
            await write();
        Assert.False(before.SequenceEqual(Everything()));
        Assert.Equal(PinState.Active, StateOf("a.example"));
    }

    /// <summary>A batch of several callers: the deposed one's work alone is refused.</summary>
    [Fact]
    public void What_rests_on_no_lease_is_written_all_the_same()
    {
        using var ledger = new ProbeLedger(store, PostfixSettings.Default, TimeProvider.System);
        ledger.Record([new Finding(FindingKind.BrakeOn, "prober", "detail", "remedy", TimeProvider.System.GetUtcNow())]);
        Assert.Equal(1, Count("finding"));
    }

    [Fact]
    public void Findings_about_nodes_come_and_go_with_what_holds()
    {
        using var lease = new ProberLease("default", "mx7", "mx7-1", TimeProvider.System);
        lease.Step(tables, mayHold: true);
        using var ledger = new ProbeLedger(store, PostfixSettings.Default, TimeProvider.System, lease);
        var now = TimeProvider.System.GetUtcNow();
        var clock = new Finding(FindingKind.NodeClock, "mx8", "about 10 seconds", "remedy", now);
        var stale = new Finding(FindingKind.NodeStale, "mx9", "gone", "remedy", now);
        using (var opened = PolicyStore.Open(store, StoreAccess.Write, TimeProvider.System))
            opened.RaiseFinding(new Finding(FindingKind.StoreUnavailable, store, "detail", "remedy", now) { Node = "mx8" });

        ledger.RecordNodes([clock, stale]);
        ledger.RecordNodes([clock with { Detail = "about 20 seconds" }]);

        using var read = PolicyStore.Open(store, StoreAccess.Read, TimeProvider.System);
        var open = read.OpenFindings().Select(alert => (alert.Finding.Kind, alert.Finding.Detail, alert.Finding.Node)).ToHashSet();
        Assert.Equal([(FindingKind.StoreUnavailable, "detail", "mx8"), (FindingKind.NodeClock, "about 20 seconds", null)], open);
    }

    [Fact]
    public void A_node_closes_only_its_own()
    {
        using var opened = PolicyStore.Open(store, StoreAccess.Write, TimeProvider.System);
        foreach (var node in (string?[])["mx7", "mx8", null])
            opened.RaiseFinding(new Finding(FindingKind.NearMiss, "a.example", "detail", "remedy", TimeProvider.System.GetUtcNow()) { Node = node });

        Assert.True(opened.CloseFinding(FindingKind.NearMiss, "a.example", "mx7"));
        Assert.False(opened.CloseFinding(FindingKind.NearMiss, "a.example", "mx9"));

        Assert.Equal([null, "mx8"], opened.OpenFindings().Select(open => open.Finding.Node).Order());
    }

    private static Task Done(Action write) => Task.Run(write);

    private static NodeRow Node(string name) => new(name, name + "-1", "1.0.0", "default", 1, "sha256", 1, 12, 0);

    private PinState? StateOf(string key)
    {
        using var opened = PolicyStore.Open(store, StoreAccess.Read, TimeProvider.System);
        return opened.Find(NextHop.Parse(key))!.Pins.First(pin => pin.Fingerprint == LedgerFixture.KeyOf(1)).State;
    }

    private void Expire() => Sql("UPDATE probe_lease SET expires = 0");

    private List<string> Everything()
    {
        using var connection = PostgreSqlServer.Instance.Connect(store);
        var rows = new List<string>();
        foreach (var table in StoreCopy.Tables)
        {
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // names of the library's own
            command.CommandText = $"SELECT '{table} ' || t::text FROM {table} t ORDER BY 1";
#pragma warning restore CA2100
            using var reader = command.ExecuteReader();
            while (reader.Read())
                rows.Add(reader.GetString(0));
        }

        return rows;
    }

    private long Count(string table)
    {
        using var connection = PostgreSqlServer.Instance.Connect(store);
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = $"SELECT count(*) FROM {table}";
#pragma warning restore CA2100
        return (long)command.ExecuteScalar()!;
    }

    private void Sql(string sql)
    {
        using var connection = PostgreSqlServer.Instance.Connect(store);
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
