using System.Collections;
using System.Globalization;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
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
    public void Findings_that_are_told_together_are_gone_through_a_few_times_however_many_they_are()
    {
        using (var store = fixture.Store.Open())
        {
            for (var number = 0; number < 30; number++)
                store.RaiseFinding(Finding(FindingKind.NewKey) with { Subject = string.Create(CultureInfo.InvariantCulture, $"d{number}.example") });
        }

        var ids = new CountedIds([.. fixture.Ledger.ReadAlerts().Select(alert => alert.Id)]);
        fixture.Ledger.MarkTogether(ids);

        Assert.InRange(ids.Enumerations, 1, 3);
        var lowest = ids.Min();
        Assert.All(fixture.Ledger.ReadAlerts(), alert => Assert.Equal(lowest, alert.ToldWith));
    }

    [Fact]
    public void What_a_probe_can_say_nothing_of_stays_as_it_is_with_all_that_is_part_of_it()
    {
        fixture.Add("a.example", Pin(0));
        fixture.Ledger.Record(With(fixture.Result("a.example"), Finding(FindingKind.TlsaMismatch)));
        var opened = Assert.Single(fixture.Ledger.ReadAlerts());
        fixture.Store.Time.Advance(TimeSpan.FromHours(1));

        // DNSSEC is not known for a while: the key is just as new, and it is no second finding.
        fixture.Ledger.Record(With(fixture.Result("a.example"), Finding(FindingKind.NewKey)) with { Undecided = [FindingKind.TlsaMismatch] });
        Assert.Equal((opened.Id, opened.Occurrences), Assert.Single(fixture.Ledger.ReadAlerts()) is var same ? (same.Id, same.Occurrences) : default);

        fixture.Store.Time.Advance(TimeSpan.FromHours(1));
        fixture.Ledger.Record(With(fixture.Result("a.example"), Finding(FindingKind.NewKey)));
        Assert.Equal(FindingKind.NewKey, Assert.Single(fixture.Ledger.ReadAlerts()).Finding.Kind);
    }

    [Theory]
    [InlineData(DestinationVerdict.Mismatch, false, "mail-waits")]
    [InlineData(DestinationVerdict.Degraded, false, "mail-will-wait")]
    [InlineData(DestinationVerdict.Ok, false, "look-at-it")]
    [InlineData(DestinationVerdict.Mismatch, true, "look-at-it")]
    public void What_a_finding_means_for_mail_follows_from_the_verdict_and_from_whether_the_entry_is_enforced(
        DestinationVerdict verdict, bool observed, string severity)
    {
        fixture.Add("a.example", Pin(0));
        var result = With(fixture.Result("a.example"), Finding(FindingKind.NewKey));
        fixture.Ledger.Record(result with { Result = result.Result with { Verdict = verdict } });
        if (observed)
            fixture.Store.Sql("UPDATE destination SET observe = 1");

        Assert.Equal(severity, Assert.Single(fixture.Ledger.ReadAlerts()).Finding.Severity.Name());
    }

    [Fact]
    public void A_lost_STARTTLS_is_remembered_however_many_probes_fail_afterwards_and_across_a_restart()
    {
        foreach (var outcome in new[] { ProbeOutcome.Secured, ProbeOutcome.StartTlsNotSupported }.Concat(Enumerable.Repeat(ProbeOutcome.Timeout, 60)))
        {
            fixture.Store.Time.Advance(TimeSpan.FromMinutes(1));
            fixture.Ledger.Record(outcome == ProbeOutcome.Secured ? fixture.Observation(1, outcome, 0) : fixture.Observation(1, outcome));
        }

        fixture.Ledger.Dispose();
        fixture.Ledger = fixture.Open();
        var history = fixture.Ledger.ReadHistory(Target(1));
        Assert.Equal((true, ProbeOutcome.Timeout, ProbeOutcome.StartTlsNotSupported), (history.LostStartTls, history.LastOutcome, history.AsLastMet().LastOutcome));
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

    /// <summary>Numbers of findings that know how often they were gone through.</summary>
    private sealed class CountedIds(long[] ids) : IReadOnlyCollection<long>
    {
        public int Enumerations { get; private set; }

        public int Count => ids.Length;

        public IEnumerator<long> GetEnumerator()
        {
            Enumerations++;
            return ids.AsEnumerable().GetEnumerator();
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
