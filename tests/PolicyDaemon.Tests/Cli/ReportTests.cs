using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Administration.Reports;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Cli;

public sealed partial class ReportTests : IDisposable
{
    private readonly ProbedSession probed = new();

    private CliSession Session => probed.Cli;

    private string File => Path.Combine(Session.Directory, "report.html");

    [Fact]
    public void The_first_page_says_that_the_log_is_sound_and_its_head_hash()
    {
        Fill();
        var head = Session.Succeed("audit", "--verify").Split('\t')[2];

        var page = Report().Split("</section>")[0];

        Assert.Contains("The audit log is sound", page, StringComparison.Ordinal);
        Assert.Contains($"<code class=\"hash\">{head}</code>", page, StringComparison.Ordinal);
        Assert.Contains($"policyctl audit --verify --head {head}", page, StringComparison.Ordinal);
        Assert.Contains("policyctl report --html report.html --as-of 2026-12-15T12:00:00Z<", page, StringComparison.Ordinal);
        Assert.Contains("<tr><th scope=\"row\">active</th><td>dane</td><td class=\"number\">1</td></tr>", page, StringComparison.Ordinal);
        Assert.Contains("<bdi>alice (root)</bdi></th><td class=\"number\">5</td><td class=\"number\">2</td>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_change_has_its_actor_its_reason_and_what_it_did()
    {
        Fill();

        var changes = Section(Report(), "changes");

        Assert.Equal(
            Session.Succeed("audit", "--format", "tsv").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(row => row.Split('\t')[0]).Distinct(),
            Change().Matches(changes).Select(match => match.Groups[1].Value));
        Assert.Contains("Reason: <bdi>partner moves &lt;b&gt;</bdi>", changes, StringComparison.Ordinal);
        Assert.Contains("<td><code>secure</code></td><td><code>encrypt</code></td>", changes, StringComparison.Ordinal);
        Assert.Contains("Reason: <bdi>first-seen: seen at mx1.example</bdi>", changes, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_changes_of_the_time_that_is_asked_for_are_shown()
    {
        Fill();

        var report = Report("--since", "2026-12-01");

        Assert.Equal(2, Change().Count(Section(report, "changes")));
        Assert.Contains("--as-of 2026-12-15T12:00:00Z --since 2026-12-01T00:00:00Z<", report, StringComparison.Ordinal);
        // What stands is told whole.
        Assert.Equal(2, Regex.Count(Section(report, "entries"), "<article"));
    }

    [Fact]
    public void A_pin_has_its_strength_and_its_way_through_its_states()
    {
        Fill();

        var entry = Section(Report("example.com"), "entries");

        Assert.Contains($"<code class=\"hash\">{KeyOf(1).Hex}</code> <span class=\"muted small\">of the public key</span></td><td class=\"nowrap\">active", entry, StringComparison.Ordinal);
        Assert.Contains("candidate → active</td><td><bdi>prober</bdi>, rule dane, change ", entry, StringComparison.Ordinal);
        Assert.Contains("<td><bdi>a usable TLSA record</bdi></td>", entry, StringComparison.Ordinal);
        Assert.Contains("<title>candidate 2026-11-24 12:00 to 2026-11-25 12:00</title>", entry, StringComparison.Ordinal);
        Assert.Contains("<title>active 2026-11-25 12:00 to the end</title>", entry, StringComparison.Ordinal);
        Assert.DoesNotContain("other.example", Report("example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_happens_later_changes_no_byte_of_it()
    {
        Fill();
        var now = Report();
        Session.Time.Advance(TimeSpan.FromMinutes(5));
        Session.Succeed("domain", "add", "later.example", "--level", "secure");
        Session.Succeed("domain", "remove", "other.example", "--reason", "contract ended");
        probed.Probe("example.com", [2], DestinationVerdict.Mismatch);
        Session.Time.Advance(TimeSpan.FromDays(300));

        Assert.Equal(now, Report("--as-of", "2026-12-15T12:00:00Z"));
        Assert.Equal(now, Session.Succeed("report", "--html", "-", "--as-of", "2026-12-15T12:00:00Z"));
        Assert.DoesNotContain("later.example", now, StringComparison.Ordinal);
        Assert.Contains("later.example", Report(), StringComparison.Ordinal);
        // The moment before the first change that it is about.
        Assert.DoesNotContain("partner moves", Report("--as-of", "2026-11-23T12:00:00Z"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_log_ends_before_its_first_later_row_though_the_clock_was_set_back_afterwards()
    {
        Session.Succeed("domain", "add", "first.example", "--level", "secure");
        Session.Time.Advance(TimeSpan.FromHours(2));
        Session.Succeed("domain", "add", "later.example", "--level", "secure");
        Session.Time.AdjustTime(Session.Time.GetUtcNow().AddHours(-1));
        Session.Succeed("domain", "add", "behind.example", "--level", "secure");
        Session.Time.Advance(TimeSpan.FromHours(3));

        var report = Report("--as-of", "2026-11-23T13:30:00Z");

        Assert.Contains("first.example", report, StringComparison.Ordinal);
        Assert.DoesNotContain("later.example", report, StringComparison.Ordinal);
        Assert.DoesNotContain("behind.example", report, StringComparison.Ordinal);
        Assert.Contains("behind.example", Report(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_entry_that_was_removed_is_told_of_by_name_alone()
    {
        Fill();
        Session.Succeed("domain", "remove", "other.example", "--reason", "contract ended");

        Assert.DoesNotContain("<h3><bdi>other.example</bdi></h3>", Section(Report(), "entries"), StringComparison.Ordinal);
        Assert.Contains("contract ended", Section(Report("other.example"), "entries"), StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_broken_log_is_said_first_and_ends_with_1()
    {
        Fill();
        Sql("DROP TRIGGER change_no_update; UPDATE change SET reason = 'another' WHERE reason LIKE 'partner%'");

        var result = Session.Run("report", "--html", File);

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.StartsWith("BROKEN: row ", result.Error, StringComparison.Ordinal);
        Assert.Contains("<p class=\"word\">The audit log is broken</p>", System.IO.File.ReadAllText(File).Split("</section>")[0], StringComparison.Ordinal);
        Assert.DoesNotContain("is sound", System.IO.File.ReadAllText(File), StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void Without_as_of_an_entry_that_was_changed_past_the_log_is_found()
    {
        Fill();
        Sql("UPDATE destination SET level = 'may' WHERE key = 'other.example'");

        Assert.Equal(ExitCode.Negative, Session.Run("report", "--html", File).Code);
        Assert.Contains("the entry other.example is not as its last row left it", System.IO.File.ReadAllText(File), StringComparison.Ordinal);
        // Of then the log alone tells.
        Assert.Equal(ExitCode.Done, Session.Run("report", "--html", File, "--as-of", "2026-12-15T12:00:00Z").Code);
    }

    /// <summary>What peers and people wrote stands in it as text, and nothing in it loads or runs.</summary>
    [Fact]
    public void Hostile_text_is_text()
    {
        const string Hostile = "<script>alert(1)</script>\u202e\u001b[31m\"' onload=x";
        Session.Succeed("domain", "add", "a.example", "--level", "secure", "--note", Hostile, "--reason", Hostile);

        var report = Report();

        Assert.DoesNotContain("<script", report, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain('\u202e', report);
        Assert.DoesNotContain('\u001b', report);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;\\u{202E}\u241b[31m&quot;&#39; onload=x", report, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'; style-src 'unsafe-inline'", report, StringComparison.Ordinal);
        Assert.Empty(Regex.Matches(report, "(?:src|href)=|url\\(|@import", RegexOptions.IgnoreCase));
    }

    [Fact]
    public void Of_many_the_first_are_told_and_it_says_what_is_left_out()
    {
        var rows = string.Concat(Enumerable.Range(0, AuditReport.MostEntries + 50).Select(i => $"d{i:0000}.example encrypt\n"));
        Session.Succeed("import", Session.Write("table", rows));

        var report = Report();

        Assert.Contains("The first 2,000 of 2,050 entries are shown", report, StringComparison.Ordinal);
        Assert.Contains("Of changes with many rows the first 100 are shown", report, StringComparison.Ordinal);
        Assert.Contains("And 1,950 more rows of the same change.", report, StringComparison.Ordinal);
        Assert.Equal(AuditReport.MostEntries, Regex.Count(report, "<article class=\"entry plain\">"));
        Assert.DoesNotContain("Left out", Report("d2049.example"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_there_is_replaced_in_one_step_and_anything_else_is_refused()
    {
        System.IO.File.WriteAllText(File, "old");
        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Report();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        Assert.Empty(Directory.GetFiles(Session.Directory, ".policydaemon-*"));
        System.IO.File.CreateSymbolicLink(File + ".link", File);

        Assert.Contains("a symbolic link to", Refused(ExitCode.Invalid, "--html", File + ".link"), StringComparison.Ordinal);
        Assert.Contains("there is no directory", Refused(ExitCode.Invalid, "--html", Path.Combine(Session.Directory, "none", "x")), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_reported_leaves_the_file_as_it_was()
    {
        System.IO.File.WriteAllText(File, "old");

        Assert.Contains("the audit log has no such entry", Refused(ExitCode.Negative, "--html", File, "none.example"), StringComparison.Ordinal);
        Assert.Contains("the audit log has nothing until 2026-11-2", Refused(ExitCode.Negative, "--html", File, "--as-of", "2026-11-22"), StringComparison.Ordinal);
        Assert.Contains("--as-of takes a moment that has passed", Refused(ExitCode.Usage, "--html", File, "--as-of", "2027-01-01"), StringComparison.Ordinal);
        Assert.Contains("--as-of takes 90m, 2h", Refused(ExitCode.Usage, "--html", File, "--as-of", "soon"), StringComparison.Ordinal);
        Assert.Contains("--since is later than --as-of", Refused(ExitCode.Usage, "--html", File, "--as-of", "2026-11-22", "--since", "2026-11-23"), StringComparison.Ordinal);
        Assert.Contains("report needs --html FILE", Refused(ExitCode.Usage), StringComparison.Ordinal);
        Assert.Contains("policyctl audit --format json", Refused(ExitCode.Usage, "--html", "-", "--format", "json"), StringComparison.Ordinal);
        Assert.Equal("old", System.IO.File.ReadAllText(File));
    }

    public void Dispose() => probed.Dispose();

    /// <summary>Two entries; the partner renews its key, DANE proves the new one, the old one retires.</summary>
    private void Fill()
    {
        Session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", KeyOf(0).Hex, "--mode", "auto");
        Session.Time.Advance(TimeSpan.FromHours(1));
        probed.Probe("example.com", [0], DestinationVerdict.Ok,
            [new PinTransition(KeyOf(0), PinSubject.PublicKey, PinState.Standby, PinState.Active, PinStrength.Person, RotationRule.FirstUse, "presented for the first time")]);
        Session.Succeed("domain", "add", "other.example", "--level", "secure");
        Session.Succeed("domain", "set", "other.example", "--level", "encrypt", "--reason", "partner moves <b>");
        Session.Time.Advance(TimeSpan.FromHours(23));
        probed.Probe("example.com", [1], DestinationVerdict.Mismatch,
            [new PinTransition(KeyOf(1), PinSubject.PublicKey, null, PinState.Candidate, null, RotationRule.FirstSeen, "seen at mx1.example")]);
        Session.Time.Advance(TimeSpan.FromDays(1));
        probed.Probe("example.com", [1], DestinationVerdict.Ok,
            [new PinTransition(KeyOf(1), PinSubject.PublicKey, PinState.Candidate, PinState.Active, PinStrength.Dane, RotationRule.Dane, "a usable TLSA record")]);
        Session.Time.Advance(TimeSpan.FromDays(7));
        probed.Probe("example.com", [1], DestinationVerdict.Ok,
            [new PinTransition(KeyOf(0), PinSubject.PublicKey, PinState.Active, PinState.Retiring, PinStrength.Person, RotationRule.Replaced, "another key is presented everywhere")]);
        Session.Time.Advance(TimeSpan.FromDays(3));
        Session.Succeed("pin", "revoke", "example.com", KeyOf(0).Hex, "--reason", "replaced, says their postmaster");
        Session.Time.Advance(TimeSpan.FromDays(10));
    }

    private string Report(params string[] args)
    {
        Session.Succeed(["report", "--html", File, .. args]);
        return System.IO.File.ReadAllText(File);
    }

    private string Refused(ExitCode code, params string[] args)
    {
        var result = Session.Run(["report", .. args]);
        Assert.Equal((code, ""), (result.Code, result.Out));
        return result.Error;
    }

    private void Sql(string statement)
    {
        using var connection = new SqliteConnection($"Data Source={Session.Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = statement;
        command.ExecuteNonQuery();
    }

    private static string Section(string report, string id) => report.Split($"<section id=\"{id}\">")[1].Split("</section>")[0];

    [GeneratedRegex("<article class=\"change\" id=\"change-([0-9]+)\">")]
    private static partial Regex Change();
}
