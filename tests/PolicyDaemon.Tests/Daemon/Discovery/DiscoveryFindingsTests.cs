using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Daemon.Discovery;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Core.Discovery;
using PolicyDaemon.Tests.Lookup;
using PolicyDaemon.Tests.Store;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Discovery;

public sealed class DiscoveryFindingsTests : IDisposable
{
    private readonly TemporaryStore temporary = new();
    private readonly LookupTestData data = new();
    private readonly ProbeLedger ledger;
    private readonly DiscoveredStore store;

    public DiscoveryFindingsTests()
    {
        ledger = new ProbeLedger(temporary.Path, PostfixSettings.Default, temporary.Time);
        store = new DiscoveredStore(ledger, temporary.Time);
    }

    public void Dispose()
    {
        ledger.Dispose();
        temporary.Dispose();
    }

    [Fact]
    public async Task No_more_destinations_are_told_of_than_a_person_reads()
    {
        var findings = Findings();
        for (var number = 0; number < DiscoveryFindings.MostSubjects + 10; number++)
            Note(findings, string.Create(CultureInfo.InvariantCulture, $"d{number}.test"));

        await findings.WriteAsync();
        Assert.Equal(DiscoveryFindings.MostSubjects, Open().Count);

        // One that settles makes room for another.
        findings.Forget("d0.test");
        await findings.WriteAsync();
        Note(findings, "next.test");
        Note(findings, "beyond.test");
        await findings.WriteAsync();

        var open = Open().Select(finding => finding.Subject).ToList();
        Assert.Equal((DiscoveryFindings.MostSubjects, true, false), (open.Count, open.Contains("next.test"), open.Contains("beyond.test")));
    }

    [Fact]
    public async Task Trouble_whose_figures_change_all_the_time_is_written_once_a_minute()
    {
        var findings = Findings();
        for (var second = 0; second < 90; second++)
        {
            findings.NoteTrouble(string.Create(CultureInfo.InvariantCulture, $"{20 + second} of {20 + second} lookups failed"));
            await findings.WriteAsync();
            temporary.Time.Advance(TimeSpan.FromSeconds(1));
        }

        using (var reading = temporary.Open(StoreAccess.Read))
        {
            var finding = Assert.Single(reading.OpenFindings());
            Assert.Equal(("80 of 80 lookups failed", 2), (finding.Finding.Detail, finding.Occurrences));
        }

        // Its end is told at once, and so is the next one.
        findings.NoteTrouble(null);
        await findings.WriteAsync();
        Assert.Empty(Open());
        findings.NoteTrouble("20 of 20 lookups failed");
        await findings.WriteAsync();
        Assert.Equal(FindingKind.DiscoveryTrouble, Assert.Single(Open()).Kind);
    }

    [Fact]
    public async Task Policies_that_cannot_be_renewed_for_our_own_trouble_are_one_finding()
    {
        var findings = Findings();
        var before = Failing();
        Note(findings, "before.test", before);
        await findings.WriteAsync();
        Advance(before, TimeSpan.FromHours(1));
        var meanwhile = Failing();
        Note(findings, "one.test", meanwhile);
        await findings.WriteAsync();
        Assert.Equal(["before.test", "one.test"], Open().Select(finding => finding.Subject).Order());

        findings.NoteTrouble("20 of 20 fetches failed");
        Note(findings, "two.test", Failing());
        await findings.WriteAsync();
        // What failed long before is another matter.
        Assert.Equal(
            [(FindingKind.PolicyNotRenewed, "before.test"), (FindingKind.DiscoveryTrouble, DiscoveryFindings.Itself)],
            Open().Select(finding => (finding.Kind, finding.Subject)).OrderBy(finding => finding.Subject, StringComparer.Ordinal));

        // Its end opens nothing: of each policy the next attempt decides.
        findings.NoteTrouble(null);
        Note(findings, "one.test", meanwhile);
        await findings.WriteAsync();
        Assert.Equal(["before.test"], Open().Select(finding => finding.Subject));
        Advance(meanwhile, TimeSpan.FromHours(1));
        Note(findings, "one.test", meanwhile);
        await findings.WriteAsync();
        Assert.Equal(["before.test", "one.test"], Open().Select(finding => finding.Subject).Order());
    }

    [Fact]
    public async Task Where_nothing_is_answered_any_more_what_was_open_settles_and_nothing_opens()
    {
        var before = Findings();
        Note(before, "one.test");
        await before.WriteAsync();
        Assert.Single(Open());

        var observing = Findings(answers: false);
        observing.Load();
        Note(observing, "two.test");
        await observing.WriteAsync();

        Assert.Empty(Open());
    }

    [Fact]
    public async Task What_was_found_stays_open_while_nothing_can_be_found()
    {
        var findings = Findings();
        var scenario = DiscoveryScenario.Of("S", "T10");
        Note(findings, "partner.test", scenario, [new DiscoveryRemark(DiscoveryRemarkKind.PolicyCoversNone, FindingSeverity.LookAtIt, "detail", null)]);
        await findings.WriteAsync();

        scenario.Mx("F", "");
        scenario.Now = scenario.Now.AddHours(2);
        Note(findings, "partner.test", scenario, []);
        await findings.WriteAsync();
        Assert.Equal(FindingKind.PolicyCoversNone, Assert.Single(Open()).Kind);

        scenario.Mx("S", "T10");
        scenario.Now = scenario.Now.AddHours(2);
        Note(findings, "partner.test", scenario, []);
        await findings.WriteAsync();
        Assert.Empty(Open());
    }

    [Fact]
    public async Task What_is_noted_while_it_is_written_is_written_the_next_time()
    {
        var findings = Findings();
        Note(findings, "one.test");
        Task writing;
        using (var other = temporary.Open())
        using (other.BeginChange(new ChangeOrigin(TemporaryStore.Alice, "slow"), PostfixSettings.Default))
        {
            writing = findings.WriteAsync();
            findings.Forget("one.test");
        }

        await writing;
        Assert.Single(Open());
        await findings.WriteAsync();
        Assert.Empty(Open());
    }

    private DiscoveryFindings Findings(bool answers = true) => new(store, data, PostfixSettings.Default, answers, temporary.Time);

    [Theory]
    [InlineData("S", "T10", DiscoveryFloor.DaneOnly, null)]
    [InlineData("S", "N10", DiscoveryFloor.None, null)]
    [InlineData("S", "N10", DiscoveryFloor.Encrypt, "takes at least encrypt of what it publishes, and what it publishes comes to not-found: no MX host has TLSA records")]
    [InlineData("F", "", DiscoveryFloor.Secure, "takes at least secure of what it publishes, and nothing is known: the MX lookup fails")]
    public async Task Mail_that_waits_below_a_floor_is_told_of(string mx, string hosts, DiscoveryFloor floor, string? detail)
    {
        Ask("partner.test", floor);
        var findings = Findings();
        Note(findings, "partner.test", DiscoveryScenario.Of(mx, hosts), remarks: []);
        await findings.WriteAsync();

        if (detail is null)
        {
            Assert.Empty(Open());
            return;
        }

        var finding = Assert.Single(Open());
        Assert.Equal((FindingKind.FloorNotMet, FindingSeverity.MailWaits, "policyctl discovery refresh partner.test"), (finding.Kind, finding.Severity, finding.Remedy));
        Assert.Contains(detail, finding.Detail, StringComparison.Ordinal);

        // Another floor is noticed; what is known is to be noted again.
        Ask("partner.test", DiscoveryFloor.None);
        Assert.Equal(["partner.test"], findings.OfOtherFloors([]));
        Note(findings, "partner.test", DiscoveryScenario.Of(mx, hosts), remarks: []);
        await findings.WriteAsync();
        Assert.Empty(Open());
        Assert.Empty(findings.OfOtherFloors(["partner.test"]));
        Ask("partner.test", floor);
        Assert.Equal(["partner.test"], findings.OfOtherFloors(["partner.test"]));
    }

    [Fact]
    public async Task Where_discovery_only_observes_or_is_off_those_with_a_floor_wait_too()
    {
        Ask("partner.test", DiscoveryFloor.Secure);
        var observing = Findings(answers: false);
        Note(observing, "partner.test", DiscoveryScenario.Of("S", "T10"), remarks: []);
        await observing.WriteAsync();
        Assert.Contains("discovery is not on", Assert.Single(Open()).Detail, StringComparison.Ordinal);

        await DiscoveryFindings.NoteOffAsync(store, temporary.Time.GetUtcNow());
        Assert.Empty(Open()); // no entry in the store
        temporary.Put(new Destination { Key = NextHop.Parse("partner.test"), Policy = new TlsPolicy { Level = TlsLevel.AsDiscovered }, Floor = DiscoveryFloor.Secure });
        await DiscoveryFindings.NoteOffAsync(store, temporary.Time.GetUtcNow());
        Assert.Equal(FindingKind.FloorNotMet, Assert.Single(Open()).Kind);
    }

    [Fact]
    public void Entries_that_ask_are_looked_up_at_once_and_every_other_once_a_day()
    {
        temporary.Put(
            new Destination { Key = NextHop.Parse("partner.test"), Policy = new TlsPolicy { Level = TlsLevel.AsDiscovered } },
            TemporaryStore.Secure("a.test"), TemporaryStore.Secure(".a.test"), TemporaryStore.Secure("192.0.2.1"), TemporaryStore.Secure("*"), TemporaryStore.Secure("[mx.a.test]:587"));
        var lookups = new EntryLookups(store, data, temporary.Time);

        var round = lookups.Next(withRound: true, out var asking).ToList();
        Assert.Equal(["partner.test"], asking);
        for (var second = 0; second < 10; second++)
            round.AddRange(lookups.Next(withRound: true, out asking));
        Assert.Equal(["[mx.a.test]:587", "a.test", "partner.test"], round.Order());
        Assert.Empty(asking);
        Assert.Empty(lookups.Next(withRound: true, out _));

        temporary.Time.Advance(TimeSpan.FromDays(1));
        Assert.Empty(lookups.Next(withRound: false, out _));
        Assert.Single(lookups.Next(withRound: true, out _));
        Ask("other.test", DiscoveryFloor.None); // any change
        lookups.Next(withRound: false, out asking);
        Assert.Equal(["partner.test"], asking);
    }

    private void Ask(string key, DiscoveryFloor floor) => data.Current = PolicySnapshot.Build(
        LookupTestData.Identity, [new SnapshotEntry(key, PolicySnapshotAnswers.BelowFloor, PolicySnapshotAnswers.BelowFloor) { Floor = floor }]);

    private void Note(DiscoveryFindings findings, string key) => Note(
        findings, key, DiscoveryScenario.Of("S", "N10"), [new DiscoveryRemark(DiscoveryRemarkKind.PolicyLapsed, FindingSeverity.LookAtIt, "detail", null)]);

    /// <summary>A policy in force whose renewal fails now.</summary>
    private DiscoveryScenario Failing()
    {
        var scenario = DiscoveryScenario.Of("W", "I10", enforce: true);
        scenario.Now = temporary.Time.GetUtcNow() - TimeSpan.FromDays(2);
        scenario.Use();
        scenario.Served = null;
        scenario.Now = temporary.Time.GetUtcNow();
        return scenario;
    }

    private void Advance(DiscoveryScenario scenario, TimeSpan by)
    {
        temporary.Time.Advance(by);
        scenario.Now = temporary.Time.GetUtcNow();
    }

    private void Note(DiscoveryFindings findings, string key, DiscoveryScenario scenario) => Note(findings, key, scenario, scenario.Use().Remarks);

    private void Note(DiscoveryFindings findings, string key, DiscoveryScenario scenario, IEnumerable<DiscoveryRemark> remarks)
    {
        scenario.Use();
        var memory = scenario.Memory with { Key = NextHop.Parse(key), Used = temporary.Time.GetUtcNow() };
        findings.Note(memory, DiscoveryVerdict.Of(memory, scenario.Settings, scenario.Now)!, remarks);
    }

    private List<Finding> Open()
    {
        using var reading = temporary.Open(StoreAccess.Read);
        return [.. reading.OpenFindings().Select(open => open.Finding)];
    }
}
