using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Runtime;
using Xunit;

namespace PolicyDaemon.Tests.Core.Findings;

public class OpenFindingsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_worst_come_first_and_of_one_severity_the_oldest()
    {
        var open = OpenFindings.Of([], [
            Stored("note.example", FindingSeverity.ForInformation, minutes: 1),
            Stored("late.example", FindingSeverity.MailWaits, minutes: 3),
            Stored("early.example", FindingSeverity.MailWaits, minutes: 2),
            Stored("look.example", FindingSeverity.LookAtIt, minutes: 0),
        ]);

        Assert.Equal(["early.example", "late.example", "look.example", "note.example"], open.Listed.Select(finding => finding.Subject));
        Assert.Equal((4, 0), (open.Counts.Open, open.Counts.NotListed));
        Assert.Equal(
            [("mail-waits", 2L), ("mail-will-wait", 0), ("look-at-it", 1), ("for-information", 1)],
            open.Counts.Severities.Select(severity => (severity.Key, severity.Value)));
    }

    [Fact]
    public void What_has_settled_is_not_open_and_what_both_know_is_told_once()
    {
        var broken = new Finding(FindingKind.StoreUnavailable, "/store", "it is gone", "policyctl status", Now);

        var open = OpenFindings.Of([broken], [
            Stored("settled.example", FindingSeverity.MailWaits) with { Closed = Now },
            new FindingAlert(7, broken with { Detail = "as it was an hour ago" }, 1, Now, null, null, 0),
        ]);

        Assert.Equal("it is gone", Assert.Single(open.Listed).Detail);
        Assert.Equal(1, open.Counts.Open);
    }

    [Fact]
    public void Of_a_thousand_the_first_hundred_are_listed_and_the_rest_is_counted()
    {
        var open = OpenFindings.Of([], [.. Enumerable.Range(0, 1000).Select(number => Stored($"d{number}.example", FindingSeverity.LookAtIt))]);

        Assert.Equal(OpenFindings.MostListed, open.Listed.Count);
        Assert.Equal((1000, 900, 1000L), (open.Counts.Open, open.Counts.NotListed, open.Counts.Severities["look-at-it"]));
    }

    /// <summary>What the file's readers take has a limit, and a pin list has none but that of the protocol.</summary>
    [Fact]
    public void However_much_findings_have_to_tell_the_status_can_be_read_back()
    {
        Assert.True(Fingerprint.TryParse(new string('a', 64), out var pin, out _));
        var pins = Enumerable.Repeat(pin, 1538).ToImmutableArray();
        var directory = Directory.CreateTempSubdirectory("policydaemon-findings");
        try
        {
            var file = Path.Combine(directory.FullName, "status");
            var open = OpenFindings.Of([], [.. Enumerable.Range(0, 100).Select(number => Stored($"d{number}.example", FindingSeverity.LookAtIt) is var stored
                ? stored with { Finding = stored.Finding with { Expected = pins, Detail = new string('\u00fc', 4000) } }
                : null!)]);

            DaemonStatusFile.Write(file, StatusOf(open));

            var read = DaemonStatusFile.TryRead(file);
            Assert.NotNull(read);
            Assert.NotEmpty(read.Findings);
            Assert.Equal((100, 100 - read.Findings.Count), (read.FindingCounts!.Open, read.FindingCounts.NotListed));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void Seen_again_is_no_news_and_another_detail_is()
    {
        var stored = Stored("a.example", FindingSeverity.LookAtIt);
        var before = OpenFindings.Of([], [stored]);

        Assert.True(before.SaysTheSameAs(OpenFindings.Of([], [stored with { LastSeen = Now.AddHours(1), Occurrences = 9 }])));
        Assert.False(before.SaysTheSameAs(OpenFindings.Of([], [stored with { Finding = stored.Finding with { Detail = "another" } }])));
        Assert.False(before.SaysTheSameAs(OpenFindings.None));
    }

    private static DaemonStatus StatusOf(OpenFindings open) => new(
        "1.2.3", 1, Now, Now, [], null, new LookupCounts(0, 0, 0, 0, 0, new ConnectionCounts(0, 0, 0, 0, 0, 0), 0), open.Listed) { FindingCounts = open.Counts };

    private static FindingAlert Stored(string subject, FindingSeverity severity, int minutes = 0) => new(
        1, new Finding(FindingKind.NewKey, subject, "detail", "policyctl explain " + subject, Now.AddMinutes(minutes)) { Severity = severity }, 1, Now, null, null, 0);
}
