using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Store.Probing;

public sealed class LedgerFaultTests : IDisposable
{
    private readonly LedgerFixture fixture = new();

    [Fact]
    public void A_locked_store_is_said_and_nothing_is_half_written()
    {
        fixture.Add("a.example", Pin(0), Pin(1, PinState.Candidate));
        using var ledger = fixture.Open(TimeSpan.FromMilliseconds(20));
        var result = With(fixture.Result("a.example", Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)), Finding(FindingKind.NewKey));
        using (var store = fixture.Store.Open())
        using (store.BeginChange(new ChangeOrigin(TemporaryStore.Alice, "slow"), PostfixSettings.Default))
        {
            Assert.Contains("another program", Assert.Throws<LedgerUnavailableException>(() => ledger.Record(result)).Message, StringComparison.Ordinal);
            Assert.Throws<LedgerUnavailableException>(() => ledger.Record(fixture.Observation(1, ProbeOutcome.Timeout)));
            // Reading goes on.
            Assert.Null(ledger.Read(NextHop.Parse("a.example"))!.LastProbe);
        }

        Assert.Equal((0, 0, 0), (fixture.Count("probe_state"), fixture.Count("finding"), fixture.Count("observation")));
        ledger.Record(result);
        Assert.Equal(PinState.Active, fixture.StateOf("a.example", 1));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_full_disk_takes_back_everything_of_the_transaction()
    {
        fixture.Add("a.example", Pin(0));
        var cache = new HistoryCache();
        using var store = fixture.Store.OpenSession();
        var session = new WriteSession(store, cache);
        using (var command = session.Connection.CreateCommand())
        {
            // SQLite's own limit gives the same SQLITE_FULL as a device without space.
            command.CommandText = "PRAGMA max_page_count = 1";
            command.ExecuteNonQuery();
        }

        session.Begin(fixture.Now);
        var error = Assert.Throws<Microsoft.Data.Sqlite.SqliteException>(() =>
        {
            for (var i = 1; i < 250; i++)
            {
                var target = i;
                session.Do(into => into.Write(fixture.Observation(target, ProbeOutcome.Secured, 0, 3) with
                {
                    Transcript = [new string('x', 4000)],
                }, fixture.Now));
            }
        });

        Assert.IsType<LedgerUnavailableException>(LedgerFaults.From(error, fixture.Store.Path, store));
        store.Dispose();
        Assert.Null(cache.Find(Target(1).Id));
        Assert.Equal((0, 0), (fixture.Count("probe_target"), fixture.Count("key_material")));
        fixture.See(1, 0);
        Assert.Single(fixture.Ledger.ReadHistory(Target(1)).CertificateRuns);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_crash_loses_nothing_that_was_recorded()
    {
        fixture.Add("a.example", Pin(0), Pin(1, PinState.Candidate));
        fixture.See(1, 0);
        fixture.Ledger.Record(With(fixture.Result("a.example", Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)), Finding(FindingKind.NewKey)));

        using var crashed = new TemporaryStore(create: false);
        StoreFaultTests.CopyAsACrashWould(fixture.Store, crashed);
        using var store = crashed.Open();

        store.CheckIntegrity();
        Assert.True(store.VerifyAudit().IsSound);
        Assert.Equal(PinState.Active, store.Find(NextHop.Parse("a.example"))!.Pins[1].State);
        Assert.Single(store.OpenFindings());
        using var ledger = new ProbeLedger(crashed.Path, PolicyDaemon.Core.Policies.PostfixSettings.Default, crashed.Time);
        Assert.Single(ledger.ReadHistory(Target(1)).CertificateRuns);
    }

    [Fact]
    public async Task One_piece_of_work_that_fails_takes_no_other_with_it()
    {
        using var writer = new LedgerWriter(EngineChoice.For(fixture.Store.Path), fixture.Store.Time, null, new HistoryCache());
        using var hold = new ManualResetEventSlim();
        var first = writer.WriteAsync(_ => hold.Wait(TestContext.Current.CancellationToken));
        var good = writer.WriteAsync(into => into.Write(fixture.Observation(1, ProbeOutcome.Timeout), fixture.Now));
        var bad = writer.WriteAsync(into =>
        {
            into.Write(fixture.Observation(2, ProbeOutcome.Timeout), fixture.Now);
            throw new InvalidOperationException("broken");
        });
        var alsoGood = writer.WriteAsync(into => into.Write(fixture.Observation(3, ProbeOutcome.Timeout), fixture.Now));
        hold.Set();

        Assert.Equal("broken", (await Assert.ThrowsAsync<InvalidOperationException>(() => bad)).Message);
        await Task.WhenAll(first, good, alsoGood);
        Assert.Equal("192.0.2.1:25 192.0.2.3:25", fixture.Scalar("SELECT min(name) || ' ' || max(name) FROM probe_target"));
    }

    [Fact]
    public async Task What_is_queued_meanwhile_shares_one_transaction()
    {
        using var writer = new LedgerWriter(EngineChoice.For(fixture.Store.Path), fixture.Store.Time, null, new HistoryCache());
        using var hold = new ManualResetEventSlim();
        var first = writer.WriteAsync(_ => hold.Wait(TestContext.Current.CancellationToken));
        var second = writer.WriteAsync(into => into.Write(fixture.Observation(1, ProbeOutcome.Timeout), fixture.Now));
        var committed = -1L;
        var third = writer.WriteAsync(into =>
        {
            into.Write(fixture.Observation(2, ProbeOutcome.Timeout), fixture.Now);
            committed = fixture.Count("probe_target");
        });
        hold.Set();

        await Task.WhenAll(first, second, third);
        // Nothing of the second was durable yet when the third was written.
        Assert.Equal((0, 2), (committed, fixture.Count("probe_target")));
    }

    [Fact]
    public async Task Of_many_writers_none_is_lost()
    {
        for (var i = 1; i < 100; i++)
            fixture.Add($"d{i}.example", Pin(0), Pin(1, PinState.Candidate));

        await Parallel.ForEachAsync(Enumerable.Range(1, 99), new ParallelOptions { MaxDegreeOfParallelism = 16 }, (i, _) =>
        {
            fixture.See(i, 0);
            fixture.Ledger.Record(fixture.Result($"d{i}.example", Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)));
            return ValueTask.CompletedTask;
        });

        Assert.Equal(99, fixture.Count("probe_state"));
        Assert.Equal(99, (long)fixture.Scalar("SELECT count(*) FROM certificate_run")!);
        Assert.Equal(198, (long)fixture.Scalar("SELECT count(*) FROM pin WHERE state = 'active'")!);
        using var store = fixture.Store.Open();
        Assert.True(store.VerifyAudit().IsSound);
    }

    [Fact]
    public async Task A_command_gets_in_while_the_prober_writes_without_pause()
    {
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(1, 4).Select(i => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                fixture.Ledger.Record(fixture.Observation(i, ProbeOutcome.Timeout));
        })).ToList();

        for (var i = 0; i < 20; i++)
            fixture.Add($"d{i}.example", Pin(0));

        await stop.CancelAsync();
        await Task.WhenAll(writers);
        Assert.Equal(20, fixture.Count("destination"));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_store_that_was_put_in_its_place_is_written_to()
    {
        fixture.Add("a.example", Pin(0));
        fixture.See(1, 0);
        using (var store = fixture.Store.Open())
            store.Backup(fixture.Store.Path + ".copy");
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.See(1, 1);
        Assert.Equal(2, fixture.Ledger.ReadHistory(Target(1)).CertificateRuns.Length);

        foreach (var suffix in (string[])["-wal", "-shm"])
            File.Delete(fixture.Store.Path + suffix);
        File.Move(fixture.Store.Path + ".copy", fixture.Store.Path, overwrite: true);

        Assert.Single(fixture.Ledger.ReadHistory(Target(1)).CertificateRuns);
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.See(1, 2);
        Assert.Equal(2, fixture.Count("certificate_run"));
    }

    [Fact]
    public void A_person_can_remove_and_import_while_the_prober_remembers()
    {
        fixture.Add("a.example", Pin(0));
        fixture.See(1, 0);
        fixture.Ledger.Record(With(fixture.Result("a.example"), Finding(FindingKind.NewKey)));
        using var store = fixture.Store.Open();
        fixture.Store.Remove("a.example");
        var removal = store.Audit(limit: 1).Single().ChangeId;
        store.CheckIntegrity();
        Assert.Empty(store.OpenFindings());

        using (var undo = store.BeginChange(new ChangeOrigin(TemporaryStore.Alice, "undo", "test"), PostfixSettings.Default))
        {
            undo.Put(undo.PlanUndo(removal).Steps[0].BackTo!);
            undo.Commit();
        }

        Assert.Equal([new ProbeDue(NextHop.Parse("a.example"), null)], fixture.Ledger.List());
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.Ledger.Record(fixture.Result("a.example"));
        store.CheckIntegrity();
        store.Backup(fixture.Store.Beside(".copy"));
        using var copy = new ProbeLedger(fixture.Store.Beside(".copy"), PolicyDaemon.Core.Policies.PostfixSettings.Default, fixture.Store.Time);
        Assert.Equal(fixture.Now, copy.Read(NextHop.Parse("a.example"))!.LastProbe);
    }

    [Fact]
    public void It_may_be_disposed_of_under_each_of_its_names()
    {
        var ledger = fixture.Open();
        ledger.Record([]);

        ledger.Dispose();
        ledger.Dispose();
    }

    public void Dispose() => fixture.Dispose();
}
