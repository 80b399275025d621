using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Auditing;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using Xunit;
using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Store.Probing;

/// <summary>What the rules need to know of a key beside what was seen: who refused it, whose else it is, and how closely probes followed each other.</summary>
public sealed class LedgerRecordTests : IDisposable
{
    private readonly LedgerFixture fixture = new();

    [Fact]
    public void Who_revoked_a_pin_when_and_why_is_read_with_the_destination()
    {
        fixture.Add("a.example", Pin(0), Pin(1));
        using (var store = fixture.Store.Open())
        {
            using var change = store.BeginChange(new ChangeOrigin(new Actor("root", "alice", null), "policyctl pin revoke", "stolen"), PostfixSettings.Default);
            var before = change.Find(NextHop.Parse("a.example"))!;
            change.Put(before with { Pins = before.Pins.Revoke(KeyOf(1), fixture.Now) });
            change.Commit();
        }

        var refusal = Assert.Single(fixture.Ledger.Read(NextHop.Parse("a.example"))!.Refusals);

        Assert.Equal((KeyOf(1), "alice (root)", fixture.Now, "stolen"), (refusal.Fingerprint, refusal.Who, refusal.At, refusal.Reason));
    }

    [Fact]
    public void A_pin_of_another_destination_is_found_those_behind_the_same_hosts_first()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Add("b.example", Pin(1));
        fixture.Add("c.example", Pin(1));
        foreach (var (key, target) in ((string, int)[])[("a.example", 1), ("b.example", 2), ("c.example", 1)])
        {
            fixture.See(target, 0);
            fixture.Ledger.Record(fixture.Result(key) with { Resolution = Resolution(key, fixture.Now, target), Targets = [new MxTarget($"mx{target}.example", Target(target), fixture.Now)] });
        }

        var found = fixture.Ledger.FindElsewhere(NextHop.Parse("a.example"), KeyOf(1));

        Assert.Equal(new PinElsewhere(KeyOf(1), NextHop.Parse("c.example"), PinState.Active, true), found);
        Assert.Equal(new PinElsewhere(KeyOf(0), NextHop.Parse("a.example"), PinState.Active, false), fixture.Ledger.FindElsewhere(NextHop.Parse("b.example"), KeyOf(0)));
        Assert.Null(fixture.Ledger.FindElsewhere(NextHop.Parse("a.example"), KeyOf(0)));
        Assert.Null(fixture.Ledger.FindElsewhere(NextHop.Parse("a.example"), KeyOf(2)));
    }

    [Fact]
    public void A_key_that_many_have_as_a_candidate_is_found_where_it_is_served()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Store.Put([.. Enumerable.Range(0, 60).Select(i => TemporaryStore.Pinned($"c{i}.example", Pin(0), Pin(1, PinState.Candidate)))]);
        fixture.Add("z.example", Pin(1, PinState.Revoked));

        Assert.Equal(
            new PinElsewhere(KeyOf(1), NextHop.Parse("z.example"), PinState.Revoked, false), fixture.Ledger.FindElsewhere(NextHop.Parse("a.example"), KeyOf(1)));
    }

    [Fact]
    public void No_more_of_the_log_is_read_than_it_takes_to_know_who_refused()
    {
        fixture.Add("a.example", Pin(0), Pin(1));
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.Add("a.example", Pin(0), Pin(1, PinState.Revoked));
        fixture.Add("a.example", Pin(0), Pin(1, PinState.Revoked), Pin(2, PinState.Candidate));
        using var store = fixture.Store.Open(StoreAccess.Read);
        var read = 0;

        var evidence = PinEvidence.Of(store.Audit(NextHop.Parse("a.example")).Select(row => (row, read++).row), [KeyOf(1)]);

        Assert.Equal((2, fixture.Now), (read, evidence[KeyOf(1)].Time));
    }

    [Fact]
    public void When_the_clock_was_set_survives_a_restart_and_is_never_later_than_now()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Ledger.Record(fixture.Result("a.example"));
        Assert.Null(ClockSetAt());

        fixture.Ledger.ClockSet(fixture.Now);
        fixture.Ledger.Dispose();
        fixture.Ledger = fixture.Open();
        Assert.Equal(fixture.Now, ClockSetAt());

        fixture.Ledger.ClockSet(fixture.Now.AddDays(400));
        fixture.Ledger.RecallFuture(fixture.Now, fixture.Now);
        Assert.Equal(fixture.Now, ClockSetAt());

        DateTimeOffset? ClockSetAt() => fixture.Ledger.Read(NextHop.Parse("a.example"))!.ClockSetAt;
    }

    [Fact]
    public void The_times_of_trusted_probes_are_stored_with_the_run()
    {
        for (var probe = 0; probe < 3; probe++)
        {
            fixture.See(1, 0);
            fixture.Store.Time.Advance(TimeSpan.FromHours(4));
        }

        fixture.Ledger.Dispose();
        fixture.Ledger = fixture.Open();
        var run = Assert.Single(fixture.Ledger.ReadHistory(Target(1)).CertificateRuns);
        Assert.Equal([-12, -8, -4], run.TrustedAt.Select(at => (at - fixture.Now).TotalHours));

        fixture.See(2, 1);
        Assert.Empty(Assert.Single(fixture.Ledger.ReadHistory(Target(2)).CertificateRuns).TrustedAt);
    }

    [Fact]
    public void A_pin_that_nothing_trusted_has_no_strength_in_the_store_either()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Ledger.Record(fixture.Result("a.example", new PinTransition(
            KeyOf(1), PinSubject.PublicKey, null, PinState.Candidate, null, RotationRule.FirstSeen, "presented")));

        using var store = fixture.Store.Open(StoreAccess.Read);
        Assert.Null(store.Find(NextHop.Parse("a.example"))!.Pins[1].Strength);
        Assert.True(store.VerifyAudit().IsSound);

        fixture.Ledger.Record(fixture.Result("a.example", new PinTransition(
            KeyOf(1), PinSubject.PublicKey, PinState.Candidate, null, null, RotationRule.MadeWay, "gone")));
        Assert.Single(fixture.Ledger.Read(NextHop.Parse("a.example"))!.Pins);
    }

    [Fact]
    public void A_pin_that_was_trusted_at_first_sight_once_keeps_that_as_a_candidate()
    {
        var trusted = Pin(1, PinState.Candidate) with { Strength = PinStrength.Tofu };
        fixture.Add("a.example", Pin(0), trusted);

        Assert.Equal(trusted, fixture.Ledger.Read(NextHop.Parse("a.example"))!.Pins[1]);
        using var store = fixture.Store.Open(StoreAccess.Read);
        Assert.True(store.VerifyAudit().IsSound);
        Assert.True(store.PlanUndo(2).IsPossible);
    }

    public void Dispose() => fixture.Dispose();
}
