using System.Text.Json;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Tests.Store.Probing;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>What is temporary in an entry, from the day it is written to the day it is history.</summary>
public sealed class UntilTests
{
    [Fact]
    public void What_is_set_for_a_time_is_shown_with_what_comes_then()
    {
        using var session = Exempt();

        Assert.Contains("end\tuntil 2026-11-23T16:00:00Z, then secure match=mx.example.com (in 4 hours)", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
        Assert.EndsWith("\t2026-11-23T16:00:00Z\n", session.Succeed("domain", "list"), StringComparison.Ordinal);
        Assert.Contains("default, until 2026-11-23T16:00:00Z", session.Succeed("domain", "list", "--format", "table"), StringComparison.Ordinal);
        Assert.Contains("temporary\t1 entry by --until; the next: example.com at level default, until 2026-11-23T16:00:00Z, then secure match=mx.example.com\n", session.Run("status", "--all").Out, StringComparison.Ordinal);
        Assert.Contains("temporary  1 entry by --until; the next: example.com at level default, until ", session.Run("status", "--format", "table").Out, StringComparison.Ordinal);
        Assert.Contains("By --until example.com at level default, until ", session.Run("status", "example.com", "--format", "table").Out, StringComparison.Ordinal);
        Assert.StartsWith("example.com\tyes\tno\t(not found)\tits entry says default: main.cf decides, whatever it publishes, until 2026-11-23T16:00:00Z\n", session.Run("explain", "example.com").Out, StringComparison.Ordinal);
        Assert.Contains("(not found) (until 2026-11-23T16:00:00Z, then secure match=mx.example.com)", session.Succeed("audit", "example.com"), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(session.Run("status", "--format", "json").Out);
        var temporary = json.RootElement.GetProperty("store").GetProperty("temporary")[0];
        Assert.Equal(("example.com", "secure match=mx.example.com"), (temporary.GetProperty("key").GetString(), temporary.GetProperty("then").GetString()));
    }

    [Fact]
    public void When_its_time_is_over_everything_says_what_it_was_before()
    {
        using var session = Exempt();
        session.Time.Advance(TimeSpan.FromHours(4));

        Assert.StartsWith("example.com\tyes\tyes\tsecure match=mx.example.com\t", session.Succeed("explain", "example.com"), StringComparison.Ordinal);
        var shown = session.Succeed("domain", "show", "example.com");
        Assert.Contains("level\tsecure\nend\tat 2026-11-23T16:00:00Z it ended, as was said when it was set to default; policyd has yet to write that\n", shown, StringComparison.Ordinal);
        Assert.Contains("answer\tsecure match=mx.example.com\n", shown, StringComparison.Ordinal);
        Assert.Contains("example.com                              secure match=mx.example.com\n", session.Succeed("export"), StringComparison.Ordinal);
        // What weakens is compared with what is in force.
        Assert.Equal(ExitCode.Usage, session.Run("domain", "set", "example.com", "--level", "encrypt", "--unset", "match").Code);
        session.Succeed("domain", "set", "example.com", "--note", "was exempt");
        Assert.DoesNotContain("end\t", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_verdict_of_before_the_end_is_none_of_what_is_in_force_since()
    {
        using var session = new ProbedSession();
        session.Cli.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", LedgerFixture.KeyOf(0).Hex);
        session.Cli.Succeed("domain", "set", "example.com", "--level", "may", "--until", "4h", "--reason", "they move");
        session.Probe("example.com", [1], DestinationVerdict.Ok);
        Assert.Contains("verdict\tok since", session.Cli.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);

        session.Cli.Time.Advance(TimeSpan.FromHours(4));
        Assert.Contains("verdict\tunknown since 2026-11-23T16:00:00Z, when what was temporary ended: no probe has been made since", session.Cli.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
        Assert.StartsWith("example.com\tfingerprint\t1/1\tyes\tassist\t\tunknown\t", session.Cli.Succeed("domain", "list"), StringComparison.Ordinal);
        Assert.Contains("fingerprint", session.Cli.Run("status", "--all").Out.Split('\n').Single(line => line.StartsWith("levels\t", StringComparison.Ordinal)), StringComparison.Ordinal);
        session.Probe("example.com", [1], DestinationVerdict.Mismatch, findings: [LedgerFixture.Finding(FindingKind.NewKey)]);
        Assert.Contains("verdict\tmismatch since", session.Cli.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_export_between_the_end_and_its_writing_is_no_difference()
    {
        using var session = Exempt();
        session.Succeed("domain", "add", "added.example", "--level", "encrypt", "--until", "4h");
        session.Time.Advance(TimeSpan.FromHours(5));
        var text = session.Succeed("export", "--full");
        Assert.DoesNotContain("until=", text, StringComparison.Ordinal);
        Assert.DoesNotContain("added.example", text, StringComparison.Ordinal);
        var table = session.Write("table", text);
        var diff = session.Run("apply", "--diff", "--prune", table);
        Assert.Equal((ExitCode.Done, ""), (diff.Code, diff.Out));
        var changed = session.Write("table", text.Replace("secure", "encrypt", StringComparison.Ordinal).Replace(" match=mx.example.com", "", StringComparison.Ordinal));
        Assert.Equal(ExitCode.Negative, session.Run("apply", "--diff", changed).Code);
    }

    [Fact]
    public void What_is_added_for_a_time_goes()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var result = session.Run("domain", "add", "example.com", "--level", "default", "--until", "7d", "--reason", "broken");
        Assert.Equal((ExitCode.Done, "example.com\tadd\t(not configured)\t(not found)\t2\n"), (result.Code, result.Out));
        Assert.Contains("example.com: until 2026-11-30T12:00:00Z, then no entry\n", result.Error, StringComparison.Ordinal);

        session.Time.Advance(TimeSpan.FromDays(7));
        Assert.StartsWith("example.com\tyes\tyes\tdane\tdiscovered: ", session.Run("explain", "example.com").Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, session.Run("domain", "set", "example.com", "--note", "gone").Code);
        Assert.DoesNotContain(session.Succeed("export").Split('\n'), line => line.StartsWith("example", StringComparison.Ordinal));
    }

    [Fact]
    public void A_change_shows_the_end_on_a_terminal_and_in_JSON()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        string[] add = ["domain", "add", "example.com", "--level", "encrypt", "--until", "2026-12-01T18:00Z", "--dry-run"];
        Assert.Contains("  end     until 2026-12-01T18:00:00Z, then no entry\n", session.Succeed([.. add, "--format", "table"]), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(session.Succeed([.. add, "--format", "json"]));
        var key = json.RootElement.GetProperty("keys")[0];
        Assert.Equal(("2026-12-01T18:00:00Z", JsonValueKind.Null), (key.GetProperty("until").GetString(), key.GetProperty("then").ValueKind));
    }

    [Fact]
    public void A_longer_time_of_less_takes_a_reason_and_a_shorter_one_does_not()
    {
        using var session = Exempt();
        var refused = session.Run("domain", "set", "example.com", "--until", "8h");
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("from 2026-11-23T16:00:00Z on: the level of example.com changes from secure to default", refused.Error, StringComparison.Ordinal);
        session.Succeed("domain", "set", "example.com", "--until", "2h");
        Assert.Equal(ExitCode.Usage, session.Run("domain", "set", "example.com", "--until", "never").Code);
        session.Succeed("domain", "set", "example.com", "--until", "never", "--reason", "for good");
        Assert.DoesNotContain("end\t", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void Undo_gives_it_back_early_and_so_does_setting_it_as_it_was()
    {
        using var session = Exempt();
        session.Succeed("undo", "3");
        Assert.DoesNotContain("end\t", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);

        session.Succeed("domain", "set", "example.com", "--level", "encrypt", "--unset", "match", "--until", "4h", "--reason", "again");
        session.Succeed("domain", "set", "example.com", "--level", "secure", "--match", "mx.example.com");
        Assert.DoesNotContain("end\t", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
        // The undo of the undo would be an exemption again, and its time is over by then.
        session.Time.Advance(TimeSpan.FromHours(4));
        var undo = session.Run("undo", "6", "--reason", "test");
        Assert.Equal(ExitCode.Negative, undo.Code);
        Assert.Contains("and that is over; to have it again: policyctl domain set with --until", undo.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("yesterday", "--until takes a time from now such as 4h or 7d, a date such as 2026-12-01")]
    [InlineData("2026-11-01", "--until takes a time ahead, and 2026-11-01")]
    [InlineData("0h", "--until takes a time ahead")]
    [InlineData("2046-01-01", "--until takes a time within 10 years")]
    [InlineData("99999999d", "--until takes a time from now")]
    public void No_time_ahead_is_refused(string until, string reason)
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var result = session.Run("domain", "add", "example.com", "--level", "encrypt", "--until", until);
        Assert.Equal(ExitCode.Usage, result.Code);
        Assert.Contains(reason, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_would_not_end_is_refused()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", "example.com", "--level", "encrypt");
        session.Succeed("domain", "add", "pinned.example", "--level", "fingerprint", "--match", CliSession.Pin);
        Assert.Contains("nothing would end then", session.Run("domain", "set", "example.com", "--until", "4h").Error, StringComparison.Ordinal);
        Assert.Contains("a pin that is added stays", session.Run("domain", "set", "pinned.example", "--match", CliSession.OtherPin, "--until", "4h").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_export_is_read_back_with_its_ends()
    {
        using var session = Exempt();
        session.Succeed("domain", "add", "added.example", "--level", "discovered", "--floor", "secure", "--until", "1d");
        session.Succeed("domain", "add", "pinned.example", "--level", "fingerprint", "--match", CliSession.Pin, "--observe");
        session.Succeed("domain", "set", "pinned.example", "--level", "discovered", "--enforce", "--until", "2026-12-01T00:00Z", "--note", "with { braces }");
        var text = session.Succeed("export", "--full");
        var table = session.Write("table", text);
        var json = session.Write("json", session.Succeed("domain", "list", "--format", "json"));
        Assert.Contains("until=2026-11-23T16:00:00Z", text, StringComparison.Ordinal);
        Assert.Contains("{ then = secure match=mx.example.com }", text, StringComparison.Ordinal);
        Assert.Contains("{ then = fingerprint observe=yes }", text, StringComparison.Ordinal);

        Assert.Equal((ExitCode.Done, ""), (session.Run("apply", "--diff", table).Code, session.Run("apply", "--diff", table).Out));
        Assert.Equal(ExitCode.Done, session.Run("apply", "--diff", json).Code);
        session.Succeed("domain", "remove", "**", "--reason", "test");
        session.Succeed("apply", table, "--reason", "test");
        Assert.Equal(text, session.Succeed("export", "--full"));

        // A file that is older than an end says what came then.
        session.Time.Advance(TimeSpan.FromDays(2));
        session.Succeed("domain", "remove", "**", "--reason", "test");
        var applied = session.Run("apply", table, "--reason", "test");
        Assert.Contains("the entry added.example ended at 2026-11-24T12:00:00Z and is passed over", applied.Error, StringComparison.Ordinal);
        Assert.Contains("what was temporary in it ended at 2026-11-23T16:00:00Z: taken is what came then", applied.Error, StringComparison.Ordinal);
        Assert.Equal(["example.com\tsecure", "pinned.example\tdiscovered"], session.Succeed("domain", "list").TrimEnd('\n').Split('\n').Select(line => string.Join('\t', line.Split('\t')[..2])));
    }

    [Theory]
    [InlineData("a.example may until=soon", "until: 'soon' is no time")]
    [InlineData("a.example may until=2099-01-01", "until: '2099-01-01' is no time of the next 10 years")]
    [InlineData("a.example may { then = secure }", "then: it takes until, too")]
    [InlineData("a.example may until=2026-12-01 { then = sceure }", "then: 'sceure' is no TLS security level")]
    [InlineData("a.example may until=2026-12-01 { then = secure note=x }", "then: it is a level with its attributes, floor and observe")]
    [InlineData("a.example may until=2026-12-01 { then = fingerprint match=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa }", "then: it is a level")]
    [InlineData("a.example may floor=high", "floor: 'high' is no floor")]
    public void A_row_with_an_end_that_cannot_be_is_refused(string row, string problem)
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var result = session.Run("apply", session.Write("table", row + "\n"), "--reason", "test");
        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains(problem, result.Error, StringComparison.Ordinal);
    }

    private static CliSession Exempt()
    {
        var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", "example.com", "--level", "secure", "--match", "mx.example.com");
        session.Succeed("domain", "set", "example.com", "--level", "default", "--until", "4h", "--reason", "they move");
        return session;
    }
}
