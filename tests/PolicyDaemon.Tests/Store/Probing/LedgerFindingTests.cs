using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using Xunit;
using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Store.Probing;

public sealed class LedgerFindingTests : IDisposable
{
    private readonly LedgerFixture fixture = new();

    [Fact]
    public void A_finding_of_many_probes_is_one_and_settles_with_the_first_without_it()
    {
        fixture.Add("a.example", Pin(0));
        var since = fixture.Now;
        fixture.Ledger.Record(With(fixture.Result("a.example"), Finding(FindingKind.NewKey, "first"), Finding(FindingKind.PinMismatch)));
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.Ledger.Record(With(fixture.Result("a.example"), Finding(FindingKind.NewKey, "second")));

        using var store = fixture.Store.Open();
        var open = Assert.Single(store.OpenFindings());
        Assert.Equal((2, fixture.Now), (open.Occurrences, open.LastSeen));
        var expected = Finding(FindingKind.NewKey, "second");
        Assert.Equal(
            new Finding(FindingKind.NewKey, "a.example", "second", expected.Remedy, since)
            {
                Outcome = ProbeOutcome.PinMismatch,
                Expected = expected.Expected,
                Seen = expected.Seen,
            },
            open.Finding);
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.Ledger.Record(fixture.Result("a.example"));
        Assert.Empty(store.OpenFindings());
    }

    [Fact]
    public void Findings_of_others_stay()
    {
        fixture.Add("a.example", Pin(0));
        using var store = fixture.Store.Open();
        store.RaiseFinding(new Finding(FindingKind.NearMiss, "a.example", "asked", "do", fixture.Now));
        store.RaiseFinding(new Finding(FindingKind.EntryNotServable, "a.example", "bad", "do", fixture.Now));
        fixture.Ledger.Record(fixture.Result("a.example"));
        fixture.Ledger.Record([]);
        Assert.Equal(2, store.OpenFindings().Count);
    }

    [Fact]
    public void The_probers_own_findings_are_those_of_now()
    {
        var brake = new Finding(FindingKind.BrakeOn, "prober", "20 of 100", "policyctl status", fixture.Now);
        fixture.Ledger.Record([brake, brake with { Kind = FindingKind.DnsTrouble }]);
        Assert.Equal(2, fixture.Ledger.ReadAlerts().Count);
        fixture.Ledger.Record([brake]);
        Assert.Equal([FindingKind.BrakeOn], fixture.Ledger.ReadAlerts().Select(alert => alert.Finding.Kind));
        fixture.Ledger.Record([]);
        Assert.Empty(fixture.Ledger.ReadAlerts());
    }

    [Fact]
    public void What_people_were_told_survives_a_restart_until_they_were_told_that_it_is_over()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Ledger.Record(With(fixture.Result("a.example"), Finding(FindingKind.NewKey), Finding(FindingKind.PinMismatch)));
        var alerts = fixture.Ledger.ReadAlerts();
        Assert.All(alerts, alert => Assert.Equal((null, null, 0), (alert.Closed, alert.Notified, alert.Escalation)));
        var told = alerts.Single(alert => alert.Finding.Kind == FindingKind.NewKey).Id;
        var first = fixture.Now;
        fixture.Ledger.MarkNotified([told, 4711], fixture.Now);
        fixture.Store.Time.Advance(TimeSpan.FromHours(4));
        fixture.Ledger.MarkNotified([told], fixture.Now, 2);
        fixture.Ledger.MarkNotified([told], fixture.Now, 1);

        fixture.Ledger.Dispose();
        fixture.Ledger = fixture.Open();
        var after = fixture.Ledger.ReadAlerts().Single(alert => alert.Id == told);
        Assert.Equal((first, 2, null), (after.Notified, after.Escalation, after.Closed));

        // Both settle; of the one that nobody heard of, nobody need hear that it is over.
        fixture.Ledger.Record(fixture.Result("a.example"));
        var over = Assert.Single(fixture.Ledger.ReadAlerts());
        Assert.Equal((told, fixture.Now), (over.Id, over.Closed));
        fixture.Ledger.MarkRecovered([told], fixture.Now);
        Assert.Empty(fixture.Ledger.ReadAlerts());

        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.Ledger.Record(With(fixture.Result("a.example"), Finding(FindingKind.NewKey)));
        Assert.NotEqual(told, Assert.Single(fixture.Ledger.ReadAlerts()).Id);
    }

    public void Dispose() => fixture.Dispose();
}
