using System.Globalization;
using System.Text;
using PolicyDaemon.Administration.Metrics;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Views;
using PolicyDaemon.Tests.Store;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Status;

/// <summary>What is open, counted without holding all of it: it says what the findings say one by one.</summary>
public sealed class FindingSurveyTests : IDisposable
{
    private readonly TemporaryStore store = new();

    [Fact]
    public void The_count_of_a_store_is_that_of_its_findings_one_by_one()
    {
        Raise(700, number => number % 3 == 0 ? FindingKind.NewKey : number % 3 == 1 ? FindingKind.StartTlsGone : FindingKind.TooManyKeys, number => number % 7 == 0 ? $"odd, number {number}" : "the same");
        using var opened = store.Open();

        var counted = FindingSurvey.Of(opened, mail: null);
        var listed = FindingSurvey.Of(opened.OpenFindings().Select(open => FindingJson.From(open.Finding, open.LastSeen)), mail: null);

        Assert.Equal(listed.Kinds.OrderBy(one => one.Key), counted.Kinds.OrderBy(one => one.Key));
        Assert.Equal(listed.Severities.OrderBy(one => one.Key), counted.Severities.OrderBy(one => one.Key));
        Assert.Equal(listed.Worst, counted.Worst);
        Assert.Equal(listed.Causes.Counts.OrderBy(one => one.Key), counted.Causes.Counts.OrderBy(one => one.Key));
        Assert.Equal(listed.Causes.DestinationsThatWait, counted.Causes.DestinationsThatWait);
        Assert.Equal(listed.Causes.Shown.Select(Text), counted.Causes.Shown.Select(Text));
        Assert.All(counted.Causes.Shown, cause => Assert.Equal(cause.First.Subject, opened.FindFinding(cause.Id!.Value, 0)[0].Finding.Subject));

        static string Text(StatusCause cause) => $"{cause.Kind} {cause.Severity} {cause.Whom} {cause.Since:O} {cause.Destinations} {cause.Detail} {cause.Remedy}";
    }

    [Fact]
    public void Beyond_a_thousand_causes_those_that_are_shown_have_their_texts_all_the_same()
    {
        Raise(1_500, _ => FindingKind.NewKey, number => string.Create(CultureInfo.InvariantCulture, $"alone, number {number}"));
        using var opened = store.Open();

        var causes = FindingSurvey.Of(opened, mail: null).Causes;

        Assert.Equal(1_500, causes.NeedPerson);
        Assert.Equal(FindingSurvey.MostCauses, causes.Shown.Length);
        Assert.All(causes.Shown, cause => Assert.StartsWith("alone, number ", cause.Detail, StringComparison.Ordinal));
        Assert.All(causes.Shown, cause => Assert.Equal("policyctl pin approve", cause.Remedy));
    }

    [Fact]
    public void Of_many_nodes_all_are_counted()
    {
        using var opened = store.Open();
        foreach (var node in new[] { "mx1", "mx2", "mx3" })
            opened.RaiseFinding(new Finding(FindingKind.ClockJumped, "clock", "it jumped", "timedatectl", store.Time.GetUtcNow()) { Node = node });

        Assert.Equal("3 nodes", Assert.Single(FindingSurvey.Of(opened, mail: null).Causes.Shown).Whom);
    }

    [Fact]
    public void A_report_lists_what_it_is_asked_to_and_counts_the_rest()
    {
        Raise(1_200, number => number % 400 == 0 ? FindingKind.StartTlsGone : FindingKind.NewKey, _ => "the same");
        var settings = SettingsReader.Parse("test.conf", Encoding.UTF8.GetBytes($"[store]\ndatabase = {store.Path}\n"));

        var counted = StatusReport.Gather(settings, store.Time);
        var listed = StatusReport.Gather(settings, store.Time, new FindingReading { Lists = finding => finding.Kind == FindingKind.StartTlsGone.Name() });

        Assert.Empty(counted.Findings);
        Assert.Equal(1_200, counted.Open!.Kinds.Values.Sum());
        Assert.Equal(["d800.example", "d400.example", "d0.example"], listed.Findings.Select(finding => finding.Subject));
        Assert.Equal(1_200, listed.Open!.Kinds.Values.Sum());
    }

    [Fact]
    public void What_the_daemon_adds_is_counted_once()
    {
        Raise(3, _ => FindingKind.NewKey, _ => "the same");
        using var opened = store.Open();
        var own = new FindingJson(FindingKind.StoreUnavailable.Name(), store.Path, "it cannot be read", "policyctl doctor", store.Time.GetUtcNow().AddDays(-1));

        var both = FindingSurvey.Of(opened, mail: null).With([own]);

        Assert.Equal(1, both.Kinds[own.Kind]);
        Assert.Equal(3, both.Kinds[FindingKind.NewKey.Name()]);
        Assert.Equal(2, both.Causes.NeedPerson);
        Assert.Contains(both.Causes.Shown, cause => cause.First.Subject == store.Path && cause.Id is null);
        Assert.Equal(4, both.Worst.Length);
    }

    [Fact]
    public void A_hundred_thousand_findings_are_a_page_of_the_usual_size_that_is_made_without_reading_them()
    {
        store.Sql(string.Create(CultureInfo.InvariantCulture, $"""
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
            INSERT INTO finding (kind, subject, detail, remedy, since, last_seen, occurrences, affects, escalation)
            SELECT CASE i % 2 WHEN 0 THEN '{FindingKind.NewKey.Name()}' ELSE '{FindingKind.StartTlsGone.Name()}' END, 'd' || i || '.example',
                   'd' || i || '.example: ' || CASE WHEN i % 10 = 0 THEN 'seen by ' || i ELSE 'seen by all' END, 'policyctl pin approve d' || i || '.example',
                   {store.Time.GetUtcNow().ToUnixTimeSeconds()} - i, {store.Time.GetUtcNow().ToUnixTimeSeconds()}, 1, 1, 0 FROM n
            """));
        var settings = SettingsReader.Parse("test.conf", Encoding.UTF8.GetBytes($"[store]\ndatabase = {store.Path}\n[metrics]\nname_findings = yes\n"));
        FindingSurvey survey;
        using (var opened = store.Open())
            survey = FindingSurvey.Of(opened, mail: null);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var status = StatusReport.Gather(settings, store.Time, null, survey);
        var page = PageLayout.Render(OverviewPage.Of(status, null)).ToString();
        var metrics = MetricsReport.Write(status, MetricsFormat.Prometheus, store.Time);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // 100,000 findings would be a hundred times that.
        Assert.InRange(allocated, 1, 8 * 1024 * 1024);
        Assert.Equal(100_000, survey.Kinds.Values.Sum());
        Assert.InRange(Encoding.UTF8.GetByteCount(page), 5_000, 100 * 1024);
        Assert.InRange(Encoding.UTF8.GetByteCount(metrics), 5_000, 64 * 1024);
        Assert.Contains("50000 destinations", page, StringComparison.Ordinal);
        Assert.Contains("40000 destinations", page, StringComparison.Ordinal);
        Assert.Contains("more causes that this page leaves out: <code>policyctl status</code>", page, StringComparison.Ordinal);
        Assert.Contains("policydaemon_findings{kind=\"new-key\"} 50000\n", metrics, StringComparison.Ordinal);
        Assert.Equal(100, metrics.Split("\npolicydaemon_finding_info{").Length - 1);
    }

    public void Dispose() => store.Dispose();

    private void Raise(int count, Func<int, FindingKind> kind, Func<int, string> detail)
    {
        using var opened = store.Open();
        for (var number = 0; number < count; number++)
        {
            opened.RaiseFinding(new Finding(
                kind(number), string.Create(CultureInfo.InvariantCulture, $"d{number}.example"), detail(number), "policyctl pin approve", store.Time.GetUtcNow().AddSeconds(-number)));
        }
    }
}
