using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store.Snapshots;

/// <summary>Entries that end by themselves, as they are served: time decides, whatever becomes of the store, the process and the clock.</summary>
public sealed class EntryEndTests
{
    private const string OfOtherDigest = "cccccccccccccccccccccccccccccccccccccccc";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void At_its_end_the_former_policy_is_served_and_one_that_was_added_is_gone()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Put(Exempt(store, "a.example"), Secure("b.example") with { Until = store.Time.GetUtcNow() + Hour }, Exempt(store, "c.example", pinned: true));
        fixture.Poll();
        Assert.Equal(["NotFound ", "Found secure", "NotFound "], Answers(fixture));

        store.Time.Advance(Hour - TimeSpan.FromSeconds(1));
        Assert.Equal(["NotFound ", "Found secure", "NotFound "], Answers(fixture));
        store.Time.Advance(TimeSpan.FromSeconds(1));
        // Before anybody but the clock has noticed.
        Assert.Equal(["Found secure", "not configured", $"Found fingerprint match={PinA}"], Answers(fixture));
        fixture.Poll();
        Assert.Equal(["Found secure", "not configured", $"Found fingerprint match={PinA}"], Answers(fixture));
        fixture.Settle();
        Assert.Equal(["Found secure", "not configured", $"Found fingerprint match={PinA}"], Answers(fixture));
        Assert.Equal(["a.example", "b.example", "c.example"], fixture.Loader.Ended.Select(ended => ended.Key).Order());
    }

    [Fact]
    public void A_clock_that_is_set_back_does_not_bring_it_back()
    {
        using var store = new TemporaryStore();
        using (var fixture = new LoaderFixture(store))
        {
            var until = store.Time.GetUtcNow() + Hour;
            store.Put(Exempt(store, "a.example", until: until));
            fixture.Poll();
            store.Time.Advance(Hour);
            fixture.Settle();
            store.Time.Set(-2 * Hour);
            Assert.Equal("Found secure", fixture.Answer("a.example"));
            // Not where everything is read again.
            fixture.Loader.Use(PostfixSettings.Default with { Version = PostfixVersion.Newest });
            Assert.Equal("Found secure", fixture.Answer("a.example"));
            // Nor where the entry changes in something else.
            store.Put(Exempt(store, "a.example", until: until) with { Note = "another" });
            fixture.Poll();
            Assert.Equal("Found secure", fixture.Answer("a.example"));
        }

        // Nor after the process was killed, with the store or without.
        using (var again = new LoaderFixture(store))
            Assert.Equal("Found secure", again.Answer("a.example"));
        store.TakeAway();
        using var without = new LoaderFixture(store);
        Assert.Equal("Found secure", without.Answer("a.example"));
    }

    [Fact]
    public void A_clock_that_was_ahead_for_a_while_ends_nothing_for_good()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Put(Exempt(store, "a.example"), Exempt(store, "b.example"));
        fixture.Poll();
        store.Time.Set(100 * Hour);
        fixture.Poll();
        Assert.Equal("Found secure", fixture.Answer("a.example"));
        // What is read meanwhile is no more sure of the time.
        store.Put(Exempt(store, "b.example", until: store.Time.GetUtcNow() - Hour) with { Note = "another" });
        fixture.Poll();
        store.Time.Advance(SettledTime.Window / 2);
        fixture.Poll();
        store.Time.Set(-100 * Hour);
        fixture.Poll();
        Assert.Equal("NotFound ", fixture.Answer("a.example"));
        fixture.Settle();
        Assert.Empty(fixture.Loader.Ended);
        Assert.Equal(["NotFound ", "NotFound "], [fixture.Answer("a.example"), fixture.Answer("b.example")]);
    }

    [Fact]
    public void Nothing_has_surely_come_before_the_clock_was_watched_for_long_enough()
    {
        var clock = new SettableClock(DateTimeOffset.UnixEpoch);
        var settled = new SettledTime(clock);
        for (var passed = TimeSpan.Zero; passed < SettledTime.Window; passed += TimeSpan.FromSeconds(1))
        {
            Assert.Equal(DateTimeOffset.MinValue, settled.Read());
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(clock.GetUtcNow(), settled.Read());
    }

    [Fact]
    public void A_clock_that_keeps_time_is_believed_at_once_and_one_that_was_set_ahead_when_it_has_stood_by_that()
    {
        var clock = new SettableClock(DateTimeOffset.UnixEpoch);
        var settled = new SettledTime(clock);
        Watch(() => { });
        Watch(() => Assert.Equal(clock.GetUtcNow(), settled.Read()));

        clock.Set(Hour);
        Watch(() => Assert.Equal(clock.GetUtcNow() - Hour, settled.Read()));
        // The step within which it was set is as old as that is.
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(2); passed += TimeSpan.FromSeconds(1))
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            settled.Read();
        }

        Assert.Equal(clock.GetUtcNow(), settled.Read());
        clock.Set(-Hour);
        Assert.Equal(clock.GetUtcNow(), settled.Read());

        void Watch(Action check)
        {
            for (var passed = TimeSpan.Zero; passed < SettledTime.Window; passed += TimeSpan.FromSeconds(1))
            {
                settled.Read();
                check();
                clock.Advance(TimeSpan.FromSeconds(1));
            }
        }
    }

    [Fact]
    public void Where_the_clock_keeps_time_an_end_is_for_good_as_soon_as_it_has_come_and_the_prober_is_told_of_it_then()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Put(Exempt(store, "a.example"));
        fixture.Settle();
        fixture.Loader.TakeChanges();
        store.Time.Advance(Hour - SettledTime.Window - TimeSpan.FromSeconds(1));
        fixture.Poll();
        Assert.Null(fixture.Loader.TakeChanges());
        Assert.Empty(fixture.Loader.Ended);

        store.Time.Advance(TimeSpan.FromSeconds(1));
        fixture.Poll();
        Assert.Equal(["a.example"], fixture.Loader.TakeChanges()?.Keys);
        Assert.Equal("a.example", Assert.Single(fixture.Loader.Ended).Key);
    }

    [Fact]
    public void The_prober_is_told_of_an_end_by_the_clock_though_it_is_not_for_good_yet()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Put(Exempt(store, "a.example", until: store.Time.GetUtcNow() + TimeSpan.FromSeconds(30)));
        fixture.Poll();
        fixture.Loader.TakeChanges();
        store.Time.Advance(TimeSpan.FromSeconds(30));
        fixture.Poll();
        Assert.Equal(["a.example"], fixture.Loader.TakeChanges()?.Keys);
        Assert.Empty(fixture.Loader.Ended);
    }

    [Fact]
    public void Another_end_is_another_exemption()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Put(Exempt(store, "a.example"));
        fixture.Poll();
        store.Time.Advance(Hour);
        fixture.Settle();
        store.Put(Exempt(store, "a.example"));
        fixture.Poll();
        Assert.Equal("NotFound ", fixture.Answer("a.example"));
        Assert.Empty(fixture.Loader.Ended);
    }

    [Fact]
    public void Over_a_store_that_is_away_it_ends_all_the_same()
    {
        using var store = new TemporaryStore();
        using (var fixture = new LoaderFixture(store))
        {
            store.Put(Exempt(store, "a.example"));
            fixture.Poll();
        }

        store.TakeAway();
        using var again = new LoaderFixture(store);
        Assert.Equal("NotFound ", again.Answer("a.example"));
        store.Time.Advance(Hour);
        again.Settle();
        store.Time.Set(-2 * Hour);
        Assert.Equal("Found secure", again.Answer("a.example"));
    }

    [Fact]
    public void While_nothing_ran_it_ended()
    {
        using var store = new TemporaryStore();
        store.Put(Exempt(store, "a.example"));
        store.Time.Advance(Hour);
        using var fixture = new LoaderFixture(store);
        Assert.Equal("Found secure", fixture.Answer("a.example"));
        fixture.Settle();
        Assert.Equal("a.example", Assert.Single(fixture.Loader.Ended).Key);
    }

    [Fact]
    public async Task Of_a_large_store_the_end_is_in_the_journal()
    {
        using var store = new TemporaryStore();
        store.Put([.. Enumerable.Range(0, 3_000).Select(i => Secure($"d{i}.example"))]);
        using (var fixture = new LoaderFixture(store))
        {
            await UntilSavedAsync(fixture, store);
            store.Put(Exempt(store, "a.example"));
            fixture.Poll();
            store.Time.Advance(Hour);
            fixture.Settle();
            store.Time.Set(-2 * Hour);
            Assert.Equal("Found secure", fixture.Answer("a.example"));
        }

        store.TakeAway();
        using var again = new LoaderFixture(store);
        Assert.Equal("Found secure", again.Answer("a.example"));
    }

    [Fact]
    public void The_daemon_writes_it_down_with_a_row_in_the_chain_and_tells_of_it()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Put(Exempt(store, "a.example"), Secure("b.example") with { Until = store.Time.GetUtcNow() + Hour });
        fixture.Poll();
        store.Time.Advance(Hour);
        fixture.Settle();
        // Even a clock that went back does not keep it from being written.
        store.Time.Set(-2 * Hour);

        using (var open = store.Open())
        {
            var receipt = Write(open, fixture);
            Assert.Equal(2, receipt!.Rows);
            Assert.Null(Write(open, fixture)); // a second daemon finds nothing left
        }

        fixture.Poll();
        Assert.Empty(fixture.Loader.Ended);
        Assert.Equal("Found secure", fixture.Answer("a.example"));
        Assert.Equal("not configured", fixture.Answer("b.example"));
        Assert.Equal(Secure("a.example"), store.Find("a.example"));
        using var read = store.Open(StoreAccess.Read);
        Assert.True(read.VerifyAudit().IsSound);
        var row = read.Audit(PolicyDaemon.Core.Destinations.NextHop.Parse("a.example"), 1).Single();
        Assert.Equal(("policyd", "change", "secure", "secure"), (row.Actor.Effective, row.Action, row.AnswerBefore, row.AnswerAfter));
        Assert.Equal(["a.example", "b.example"], read.OpenFindings().Where(finding => finding.Finding.Kind == FindingKind.EntryEnded).Select(finding => finding.Finding.Subject).Order());
        // Nobody takes an end back.
        Assert.Contains("that is over", Assert.Single(read.PlanUndo(row.ChangeId).Obstacles, reason => reason.StartsWith("a.example", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_given_back_to_less_was_decided_by_a_person()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        var encrypted = Secure("a.example") with { Policy = new TlsPolicy { Level = TlsLevel.Encrypt } };
        store.Put(Temporary.Until(encrypted, Secure("a.example"), store.Time.GetUtcNow() + Hour));
        fixture.Poll();
        store.Time.Advance(Hour);
        fixture.Settle();
        using var open = store.Open();
        Assert.Equal(1, Write(open, fixture)!.Rows);
        Assert.Equal(encrypted, store.Find("a.example"));
        // Automation may do nothing else of that kind.
        using var change = open.BeginChange(Daemon, PostfixSettings.Default);
        Assert.Throws<ChangeRefusedException>(() => change.Remove(encrypted.Key));
    }

    [Fact]
    public void The_pins_that_an_end_brings_back_are_the_entrys_own()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        var both = Pinned("a.example", Pin(PinA, PinState.Active), Pin(OfOtherDigest, PinState.Active));
        store.Put(Temporary.Until(both, both with { Observe = true }, store.Time.GetUtcNow() + Hour));
        fixture.Poll();
        store.Time.Advance(Hour);
        fixture.Settle();
        using var open = store.Open();
        Assert.Equal(1, Write(open, fixture)!.Rows);
        Assert.False(store.Find("a.example")!.Observe);
    }

    [Fact]
    public void Of_many_that_end_at_once_a_hundred_are_named()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Put([.. Enumerable.Range(0, 1_200).Select(i => Exempt(store, $"d{i}.example"))]);
        fixture.Poll();
        store.Time.Advance(Hour);
        fixture.Settle();
        using var open = store.Open();
        Assert.Equal(1_000, Write(open, fixture)!.Rows);
        fixture.Poll();
        Assert.Equal(200, Write(open, fixture)!.Rows);
        var findings = open.OpenFindings();
        Assert.Equal(101, findings.Count);
        var others = Assert.Single(findings, finding => finding.Finding.Subject == "(more)").Finding;
        Assert.Equal(1_100, others.Affects);
        Assert.StartsWith("1100 more entries", others.Detail, StringComparison.Ordinal);
        EndedEntries.CloseFindings(open, store.Time.GetUtcNow());
        Assert.Equal(101, open.OpenFindings().Count);
    }

    [Fact]
    public void The_finding_is_history_after_a_week_or_a_change()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Put(Exempt(store, "a.example"), Exempt(store, "b.example"));
        fixture.Poll();
        store.Time.Advance(Hour);
        fixture.Settle();
        using var open = store.Open();
        Write(open, fixture);
        store.Put(Secure("b.example", "changed"));
        EndedEntries.CloseFindings(open, store.Time.GetUtcNow());
        Assert.Equal("a.example", Assert.Single(open.OpenFindings()).Finding.Subject);
        store.Time.Advance(TimeSpan.FromDays(7));
        EndedEntries.CloseFindings(open, store.Time.GetUtcNow());
        Assert.Empty(open.OpenFindings());
    }

    [Fact]
    public void A_pin_that_moves_on_is_no_decision_and_an_end_in_the_future_is_told_from_now_on()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Put(Exempt(store, "a.example", pinned: true));
        fixture.Poll();
        store.Time.Advance(Hour);
        fixture.Settle();
        using var open = store.Open();
        Write(open, fixture);
        using (var change = open.BeginChange(new ChangeOrigin(Actor.Prober, "prober") { IsAutomation = true }, PostfixSettings.Default))
        {
            Assert.True(change.Put(Pinned("a.example", Pin(PinA, PinState.Active), Pin(PinB, PinState.Standby))));
            change.Commit();
        }

        store.Time.Set(TimeSpan.FromDays(-30));
        EndedEntries.CloseFindings(open, store.Time.GetUtcNow());
        Assert.Equal(store.Time.GetUtcNow(), Assert.Single(open.OpenFindings()).LastSeen);
        store.Time.Advance(TimeSpan.FromDays(7));
        EndedEntries.CloseFindings(open, store.Time.GetUtcNow());
        Assert.Empty(open.OpenFindings());
    }

    private static ChangeOrigin Daemon => new(Actor.Daemon, EntryEnd.Command, "over") { IsAutomation = true };

    private static ChangeReceipt? Write(PolicyStore open, LoaderFixture fixture) => EndedEntries.Write(open, fixture.Loader.Ended, Daemon, PostfixSettings.Default);

    private static IEnumerable<string> Answers(LoaderFixture fixture) => [fixture.Answer("a.example"), fixture.Answer("b.example"), fixture.Answer("c.example")];

    private static Destination Exempt(TemporaryStore store, string key, bool pinned = false, DateTimeOffset? until = null)
    {
        var before = pinned ? Pinned(key, Pin(PinA, PinState.Active)) : Secure(key);
        return Temporary.Until(before, before with { Policy = new TlsPolicy { Level = TlsLevel.Default } }, until ?? store.Time.GetUtcNow() + Hour);
    }

    private static Task UntilSavedAsync(LoaderFixture fixture, TemporaryStore store) => Until.TrueAsync(() => File.Exists(fixture.SnapshotFilePath), () =>
    {
        store.Time.Advance(TimeSpan.FromSeconds(31));
        fixture.Poll();
    });
}
