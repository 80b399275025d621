using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Daemon.Discovery;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;
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

    private DiscoveryFindings Findings(bool answers = true) => new(store, data, answers, temporary.Time);

    private void Note(DiscoveryFindings findings, string key)
    {
        var memory = Discovered.Unseen(NextHop.Parse(key)) with { Used = temporary.Time.GetUtcNow() };
        findings.Note(memory, [new DiscoveryRemark(DiscoveryRemarkKind.PolicyLapsed, FindingSeverity.LookAtIt, "detail", null)]);
    }

    private List<Finding> Open()
    {
        using var reading = temporary.Open(StoreAccess.Read);
        return [.. reading.OpenFindings().Select(open => open.Finding)];
    }
}
