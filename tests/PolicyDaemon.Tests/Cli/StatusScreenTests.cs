using System.Globalization;
using System.Text.Json;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class StatusScreenTests
{
    private const string Key = "6d4c11ad9b0e6d4c11ad9b0e6d4c11ad9b0e6d4c11ad9b0e6d4c11ad9b0e6d4c";

    [Fact]
    public void One_cause_is_one_line_however_many_destinations_it_has()
    {
        using var session = new CliSession();
        using var running = StatusTests.Run(
            session, "store", 1,
            [
                .. Enumerable.Range(0, 434).Select(i => Finding("dns-trouble", $"p{i}.example", "look-at-it", $"looking up MX of p{i}.example: 192.0.2.53 answers SERVFAIL", $"policyctl check p{i}.example")),
                .. Enumerable.Range(0, 12).Select(i => Shown(Finding("new-key", $"customer{i}.example", "mail-waits", $"mx.provider.example presents a key that customer{i}.example has no pin for", $"policyctl pin approve customer{i}.example {Key}"))),
                Shown(Finding("new-key", "other.example", "mail-will-wait", "another key", "policyctl pin approve other.example"), "00" + Key[2..]),
            ]);

        var lines = session.Succeed("status", "--format", "table").Split('\n');

        Assert.Equal("3 things need a person; mail of 12 destinations waits.", lines[0]);
        Assert.StartsWith("waits       12 destinations   now    new-key: mx.provider.example: presents a key that ... has no pin for", lines[3], StringComparison.Ordinal);
        Assert.Equal("    policyctl status --kind new-key", lines[4]);
        Assert.StartsWith("will wait   other.example     now    new-key: another key", lines[5], StringComparison.Ordinal);
        Assert.StartsWith("look at it  434 destinations  now    dns-trouble: looking up MX of ...: 192.0.2.53 answers SERVFAIL", lines[7], StringComparison.Ordinal);
        // One for each, and one for all of them together.
        Assert.Equal(12 + 1, session.Succeed("status", "--kind", "new-key", "--format", "table").Split('\n').Count(line => line.StartsWith("  settle it: policyctl pin approve customer", StringComparison.Ordinal)));
        Assert.Equal(ExitCode.Usage, session.Run("status", "--kind", "nonsense").Code);
    }

    /// <summary>Whose finding it is says nothing to a person: how many destinations it is about does.</summary>
    [Fact]
    public void What_fails_for_many_at_once_is_told_by_how_many_they_are()
    {
        using var session = new CliSession();
        using var running = StatusTests.Run(
            session, "store", 1,
            [Finding("dns-trouble", "prober", "look-at-it", "the resolver 192.0.2.53 answers SERVFAIL for 434 of 500 destinations", "policyctl check a.example") with { Affects = 434 }]);

        Assert.Contains(
            "look at it  434 destinations  now    dns-trouble: the resolver 192.0.2.53 answers SERVFAIL for 434 of 500 destinations",
            session.Succeed("status", "--format", "table"), StringComparison.Ordinal);
        Assert.Contains("dns-trouble 434 destinations", session.Run("status", "--check").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void More_causes_than_anybody_reads_are_counted()
    {
        using var session = new CliSession();
        using var running = StatusTests.Run(
            session, "store", 1,
            [
                Finding("dns-trouble", "p.example", "look-at-it", "192.0.2.53 answers SERVFAIL", "policyctl check p.example"),
                .. Enumerable.Range(0, 1_005).Select(i => Finding("new-key", $"d{i:D4}.example", "mail-waits", $"key {i:D4}", "policyctl pin approve")),
            ]);

        var lines = session.Succeed("status", "--format", "table").Split('\n');

        Assert.Equal("1006 things need a person; mail of 1005 destinations waits.", lines[0]);
        Assert.Equal(1_000, lines.Count(line => line.StartsWith("waits ", StringComparison.Ordinal)));
        Assert.Single(lines, line => line.StartsWith("look at it ", StringComparison.Ordinal));
        Assert.Contains("... and 5 more: policyctl status --all", lines);
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(9, false)]
    public void A_few_incidents_are_told_in_full_below_their_rows_where_the_screen_is_narrow(int count, bool isInFull)
    {
        using var session = new CliSession { Width = 80 };
        using var running = StatusTests.Run(
            session, "store", 1,
            [.. Enumerable.Range(0, count).Select(i => Shown(Finding(
                "new-key", string.Create(CultureInfo.InvariantCulture, $"a-partner-with-a-long-name-{i}.example"), "mail-waits", "a server presents a key that no pin knows, and mail waits for a person who compares it", "policyctl pin approve"),
                string.Create(CultureInfo.InvariantCulture, $"{i:D2}{Key[2..]}")))]);

        var lines = session.Succeed("status", "--format", "table").TrimEnd('\n').Split('\n');

        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.Equal(isInFull ? count : 0, lines.Count(line => line == "    new-key: a server presents a key that no pin knows, and mail waits for a"));
        Assert.Equal(isInFull ? count : 0, lines.Count(line => line == "    person who compares it"));
        Assert.Equal(isInFull ? 0 : count, lines.Count(line => line.EndsWith("...", StringComparison.Ordinal)));
    }

    [Fact]
    public void Thirty_incidents_fit_on_one_screen_of_eighty_columns()
    {
        using var session = new CliSession { Width = 80 };
        using var running = StatusTests.Run(
            session, "store", 1,
            [.. Enumerable.Range(0, 30).Select(i => Shown(Finding(
                "new-key", string.Create(CultureInfo.InvariantCulture, $"a-partner-with-a-long-name-{i}.example"), "mail-waits", "a server presents a key that no pin knows, and mail waits for a person who compares it", "policyctl pin approve"),
                string.Create(CultureInfo.InvariantCulture, $"{i:D2}{Key[2..]}")))]);

        var lines = session.Succeed("status", "--format", "table").TrimEnd('\n').Split('\n');

        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.Equal(30, lines.Count(line => line.Contains("a-partner-with", StringComparison.Ordinal)));
        Assert.All(
            lines.Where(line => line.EndsWith("...", StringComparison.Ordinal)),
            line => Assert.Contains($" {line[(line.LastIndexOf(' ') + 1)..^3]} ", " new-key: a server presents a key that no pin knows, and mail waits for a person who compares it ", StringComparison.Ordinal));
        // The worst has its command below it, so that mail flows after three of them.
        Assert.Equal("    policyctl pin approve", Assert.Single(lines, line => line.StartsWith("    policyctl ", StringComparison.Ordinal)));
        Assert.True(lines.Length <= 45, string.Join('\n', lines));
    }

    [Fact]
    public void Waiting_mail_is_told_with_the_end_of_its_patience()
    {
        using var session = new CliSession();
        session.Postfix.Text = new PostconfText(("maximal_queue_lifetime", "5d"));
        session.Postfix.Waiting =
        [
            Mail("deferred", At(session, -3600), "a@partner.example", "b@other.example"),
            Mail("deferred", At(session, -7200), "c@Partner.example"),
            Mail("active", At(session, -9000), "d@partner.example"),
            Mail("deferred", At(session, -60), "e@sub.below.example"),
            "no JSON at all",
            """{"queue_name": "deferred", "arrival_time": "soon", "recipients": 7}""",
        ];
        using var running = StatusTests.Run(
            session, "store", 1, Shown(Finding("new-key", "partner.example", "mail-waits", "a new key", "policyctl pin approve partner.example")),
            Finding("level-not-met", ".below.example", "mail-will-wait", "no STARTTLS", "policyctl check sub.below.example"));

        var text = session.Succeed("status", "--format", "table");

        // What could not be read leaves the number a least one.
        Assert.StartsWith("2 things need a person; mail of 1 destination waits: at least 3 mails wait since 2026-11-23T10:00:00Z, and the first is returned at 2026-11-28T10:00:00Z.\n", text, StringComparison.Ordinal);
        Assert.Matches("waits +partner.example +now +>=2, 4d left +new-key: a new key\n", text);
        Assert.Matches("will wait +.below.example +now +>=1, 4d left +level-not-met", text);
        Assert.Contains("  at least 2 mails wait since 2026-11-23T10:00:00Z, and the first is returned at 2026-11-28T10:00:00Z\n", session.Succeed("status", "partner.example", "--format", "table"), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(session.Succeed("status", "--format", "json"));
        Assert.Equal(2, json.RootElement.GetProperty("causes")[0].GetProperty("waiting_messages").GetInt64());
        Assert.Equal("2026-11-28T10:00:00Z", json.RootElement.GetProperty("causes")[0].GetProperty("returned_at").GetString());
        Assert.False(json.RootElement.GetProperty("waiting").GetProperty("whole").GetBoolean());

        session.Postfix.Waiting = null;
        Assert.DoesNotContain("mails wait", session.Succeed("status", "--format", "table"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mail_that_two_findings_are_about_is_one_and_what_is_for_information_needs_nobody()
    {
        using var session = new CliSession();
        session.Postfix.Text = new PostconfText(("maximal_queue_lifetime", "5d"));
        session.Postfix.Waiting = [Mail("deferred", At(session, -7200), "a@partner.example")];
        using (StatusTests.Run(
            session, "store", 1, Finding("new-key", "partner.example", "mail-waits", "a new key", "policyctl pin approve partner.example"),
            Finding("pin-mismatch", "partner.example", "mail-waits", "every address", "policyctl explain partner.example"),
            Finding("resolver-half-tested", "resolver", "for-information", "x", "y")))
        {
            Assert.StartsWith(
                "2 things need a person; 1 thing is for information; mail of 1 destination waits: 1 mail waits since 2026-11-23T10:00:00Z, ",
                session.Succeed("status", "--format", "table"), StringComparison.Ordinal);
            Assert.Contains("mail of 1 destination waits", session.Run("status", "--check").Out, StringComparison.Ordinal);
            Assert.Contains("| waits=1;;0 ", session.Run("status", "--check").Out, StringComparison.Ordinal);
            using var json = JsonDocument.Parse(session.Succeed("status", "--format", "json"));
            Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("causes")[2].GetProperty("waiting_messages").ValueKind);
        }

        using (StatusTests.Run(session, "store", 1, Finding("resolver-half-tested", "resolver", "for-information", "x", "y")))
            Assert.StartsWith("Nothing needs a person; 1 thing is for information.\n", session.Succeed("status", "--format", "table"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[mx.partner.example]", true)]
    [InlineData("partner.example:587", true)]
    [InlineData("partner.example", false)]
    public void What_waits_is_not_said_to_be_nothing_where_that_is_not_known(string subject, bool isWhole)
    {
        using var session = new CliSession();
        session.Postfix.Waiting = [];
        session.Postfix.IsWholeQueue = isWhole;
        using var running = StatusTests.Run(session, "store", 1, Finding("new-key", subject, "mail-waits", "a new key", "policyctl pin approve"));
        using var json = JsonDocument.Parse(session.Succeed("status", "--format", "json"));
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("causes")[0].GetProperty("waiting_messages").ValueKind);
    }

    [Fact]
    public void The_first_line_says_what_a_dead_daemon_means_for_mail_whatever_is_asked_for()
    {
        const string Dead = "policyd does not run: mail waits, every delivery that asks it is deferred (4.7.5) and tried again. Start it: systemctl start policyd\n";
        using var session = new CliSession();
        session.Postfix.Waiting = [Mail("deferred", At(session, -60), "a@partner.example"), Mail("deferred", At(session, -60), "b@other.example")];

        var screen = session.Run("status", "--format", "table").Out;
        Assert.StartsWith("2 mails wait in the queue of this machine's Postfix. " + Dead, screen, StringComparison.Ordinal);
        Assert.DoesNotContain("Nothing needs a person", screen, StringComparison.Ordinal);
        foreach (var some in (string[][])[["partner.example"], ["--kind", "new-key"]])
        {
            var text = session.Run(["status", .. some, "--format", "table"]).Out;
            Assert.StartsWith("2 mails wait in the queue of this machine's Postfix. " + Dead, text, StringComparison.Ordinal);
            Assert.EndsWith("\nNo open findings.\n", text, StringComparison.Ordinal);
        }

        session.Postfix.Waiting = null;
        Assert.StartsWith(Dead, session.Run("status", "--format", "table").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_line_says_that_there_is_nothing_to_answer_from()
    {
        using var session = new CliSession();
        session.Postfix.Waiting = [];
        using var running = StatusTests.Run(session, "store", 1);
        var file = session.Database + ".status";
        PolicyDaemon.Core.Runtime.DaemonStatusFile.Write(file, PolicyDaemon.Core.Runtime.DaemonStatusFile.TryRead(file)! with { Snapshot = null });
        Assert.StartsWith(
            "No mail waits in the queue of this machine's Postfix. policyd has no policies to answer from: every delivery that asks it is deferred",
            session.Succeed("status", "--format", "table"), StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_store_that_cannot_be_read_is_said_whatever_is_asked_for()
    {
        using var session = new CliSession();
        using var running = StatusTests.Run(session, "store", 1, Finding("new-key", ".partner.example", "mail-waits", "a new key", "policyctl pin approve .partner.example"));
        File.WriteAllText(session.Database, "this is no database, whatever its name says. " + new string('x', 4096));
        foreach (var some in (string[][])[["a.partner.example"], ["--kind", "new-key"]])
        {
            var result = session.Run(["status", .. some, "--format", "table"]);
            Assert.Equal(ExitCode.Invalid, result.Code);
            Assert.StartsWith("policies are answered from the last good snapshot; changes do not take effect until the store is repaired\n" + session.Database, result.Out, StringComparison.Ordinal);
            // Which entry decides nobody can tell: the parent's is shown.
            Assert.Contains("new-key  .partner.example  waits", result.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_open_about_the_entry_of_a_parent_is_open_about_a_destination()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", ".partner.example", "--level", "encrypt");
        session.Succeed("domain", "add", "own.partner.example", "--level", "encrypt");
        using var running = StatusTests.Run(session, "store", 3, Finding("level-not-met", ".partner.example", "mail-waits", "no STARTTLS", "policyctl check a.partner.example"));
        Assert.Contains("level-not-met  .partner.example  waits", session.Succeed("status", "user@a.partner.example", "--format", "table"), StringComparison.Ordinal);
        Assert.Equal("No open findings.\n", session.Succeed("status", "own.partner.example", "--format", "table"));
    }

    [Theory]
    [InlineData("5d", 432000)]
    [InlineData("5", 432000)]
    [InlineData("36h", 129600)]
    [InlineData("1w", 604800)]
    [InlineData("0", 0)]
    public void A_time_of_Postfix_is_read(string text, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), PolicyDaemon.Core.Deliveries.WaitingMail.ReadTime(text + "\n"));

    [Fact]
    public void A_plugin_of_Nagios_gets_one_line_and_its_own_exit_status()
    {
        using var session = new CliSession();
        var dead = session.Run("status", "--check");
        Assert.Equal(2, (int)dead.Code);
        Assert.StartsWith("POLICYDAEMON CRITICAL - policyd does not run", dead.Out, StringComparison.Ordinal);

        using (StatusTests.Run(session, "store", 1))
        {
            var good = session.Run("status", "--check");
            Assert.Equal(0, (int)good.Code);
            Assert.Equal(
                "POLICYDAEMON OK - policies are answered as the store has them | waits=0;;0 will_wait=0;0 look_at_it=0;0 destinations=0 found=1c not_found=2c temporary=3c\n", good.Out);
        }

        using (StatusTests.Run(session, "store", 1, Finding("near-miss", "a|b", "look-at-it", "x", "y")))
        {
            var look = session.Run("status", "--check");
            Assert.Equal(1, (int)look.Code);
            Assert.StartsWith("POLICYDAEMON WARNING - 1 thing to look at: near-miss a/b | waits=0;;0 will_wait=0;0 look_at_it=1;0 ", look.Out, StringComparison.Ordinal);
        }

        using (StatusTests.Run(session, "store", 1, Finding("new-key", "a.example", "mail-waits", "x", "y")))
            Assert.Equal(2, (int)session.Run("status", "--check").Code);
        using (StatusTests.Run(session, "store", 1, Finding("resolver-half-tested", "resolver", "for-information", "x", "y")))
            Assert.Equal(0, (int)session.Run("status", "--check").Code);
        Assert.Equal(ExitCode.Usage, session.Run("status", "--check", "--all").Code);
        Assert.Equal(ExitCode.Usage, session.Run("status", "--check", "a.example").Code);
    }

    /// <summary>A zero in a graph says that all was well that night.</summary>
    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void To_a_plugin_findings_that_nobody_can_tell_are_unknown_not_none()
    {
        using var session = new CliSession();
        Assert.Contains("| waits=0;;0 will_wait=0;0 look_at_it=0;0 ", session.Run("status", "--check").Out, StringComparison.Ordinal);
        File.WriteAllText(session.Database, "no store");

        Assert.EndsWith("| waits=U;;0 will_wait=U;0 look_at_it=U;0\n", session.Run("status", "--check").Out, StringComparison.Ordinal);

        using (StatusTests.Run(session, "file", 1, Finding("new-key", "a.example", "mail-waits", "x", "y")))
            Assert.Contains("| waits=1;;0 ", session.Run("status", "--check").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void To_a_plugin_a_daemon_whose_place_cannot_be_read_is_unknown()
    {
        using var session = new CliSession();
        session.Write("policydaemon.conf", "[lookup]\nfrobnicate = a|b\n");
        var result = session.Run("status", "--check", "--database", Path.Combine(session.Directory, "elsewhere.db"));
        Assert.Equal(3, (int)result.Code);
        Assert.StartsWith($"POLICYDAEMON UNKNOWN - {session.Config}:2: lookup.frobnicate: ", result.Out, StringComparison.Ordinal);
        Assert.Single(result.Out.TrimEnd('\n').Split('\n'));
        Assert.Equal(2, result.Out.Split('|').Length);
        Assert.Equal(3, (int)session.Run("status", "--check", "--config", session.Config + ".none").Code);
    }

    [Fact]
    public void Advice_is_counted_and_needs_nobody()
    {
        using var session = new CliSession { Width = 100, Terminal = true };
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");
        var advice = new Finding(FindingKind.EntryBelowPublished, "a.example", "more is published", "policyctl domain set a.example --level dane-only", session.Time.GetUtcNow());
        using (var store = PolicyStore.Open(session.Store, StoreAccess.Write, session.Time))
            store.RaiseFinding(advice);
        using var running = StatusTests.Run(session, "store", 1);

        var screen = session.Succeed("status");
        Assert.Contains("Nothing needs a person.", screen, StringComparison.Ordinal);
        Assert.Contains("1 entry: policyctl status --kind entry-below-published", screen, StringComparison.Ordinal);
        Assert.DoesNotContain(advice.Detail, screen, StringComparison.Ordinal);
        Assert.Equal(0, (int)session.Run("status", "--check").Code);
        Assert.Contains("\"causes\": []", session.Succeed("status", "--format", "json"), StringComparison.Ordinal);
        foreach (var words in new string[][] { ["status", "--all"], ["status", "a.example"], ["status", "--kind", "entry-below-published"], ["domain", "show", "a.example"], ["explain", "a.example"] })
        {
            var shown = session.Succeed(words).ReplaceLineEndings(" ");
            Assert.Contains(advice.Detail, shown, StringComparison.Ordinal);
            Assert.Contains(advice.Remedy, shown, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Watching_draws_in_place_and_leaves_the_terminal_as_it_was()
    {
        using var session = new CliSession { Width = 80, Height = 12 };
        using var running = StatusTests.Run(session, "store", 1);
        Assert.Equal(ExitCode.Usage, session.Run("status", "--watch").Code);

        session.Terminal = session.Person = true;
        var pressed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.KeyPress = _ => pressed.Task;
        using var screen = new Screen();
        session.OutOverride = screen;
        var watching = Task.Run(() => session.Run("status", "--watch"), TestContext.Current.CancellationToken);
        // Each two seconds another drawing, and none before.
        await DrawnAsync(screen, 1, () => { });
        await DrawnAsync(screen, 3, () => session.Time.Advance(TimeSpan.FromSeconds(2)));

        pressed.SetResult();
        Assert.Equal(ExitCode.Done, (await watching).Code);
        var output = screen.ToString();
        Assert.StartsWith("\x1b[?1049h\x1b[?25l\x1b[H", output, StringComparison.Ordinal);
        Assert.EndsWith("\x1b[?25h\x1b[?1049l", output, StringComparison.Ordinal);
        Assert.All(output.Split("\x1b[H")[1..], drawing =>
        {
            Assert.Contains("Nothing needs a person.", drawing, StringComparison.Ordinal);
            Assert.InRange(drawing.Count(character => character == '\n'), 1, 11);
        });
    }

    [Fact]
    public void For_a_screen_the_queue_is_read_once_a_minute()
    {
        using var session = new CliSession();
        session.Postfix.Waiting = [];
        var queue = MailQueue.Remembered(session.Postfix, session.Time);
        foreach (var (seconds, asked) in ((int, int)[])[(0, 1), (2, 1), (57, 1), (1, 2), (2, 2)])
        {
            session.Time.Advance(TimeSpan.FromSeconds(seconds));
            Assert.NotNull(queue());
            Assert.Equal(asked, session.Postfix.Asked);
        }
    }

    [Fact]
    public async Task While_watching_the_queue_is_remembered_and_the_screen_is_left_whatever_the_keyboard_does()
    {
        using var session = new CliSession { Width = 80, Height = 12, Terminal = true, Person = true };
        session.Postfix.Waiting = [];
        using var running = StatusTests.Run(session, "store", 1, Finding("new-key", "a.example", "mail-waits", "x", "y"));
        using var screen = new Screen();
        // A keyboard that is let go of only once the screen was left.
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.KeyPress = _ => released.Task;
        using var interruption = new Interruption();
        session.Interruption = interruption;
        session.OutOverride = screen;
        var begun = session.Time.GetUtcNow();
        var watching = Task.Run(() => session.Run("status", "--watch"), TestContext.Current.CancellationToken);
        await DrawnAsync(screen, 8, () => session.Time.Advance(TimeSpan.FromSeconds(2)));
        Assert.InRange(session.Postfix.Asked, 1, 1 + (int)(session.Time.GetUtcNow() - begun).TotalMinutes);

        interruption.Interrupt();
        await DrawnAsync(screen, screen.Drawings + 1, () => { });
        released.SetResult();
        Assert.Equal(ExitCode.Done, (await watching).Code);
        Assert.EndsWith("\x1b[?25h\x1b[?1049l", screen.ToString(), StringComparison.Ordinal);
    }

    private static Task DrawnAsync(Screen screen, int drawings, Action pass) =>
        Until.TrueAsync(() => screen.Drawings >= drawings, pass, $"the screen was drawn {drawings} times");

    /// <summary>A terminal that tells how often it was drawn.</summary>
    private sealed class Screen : StringWriter
    {
        private int drawings;

        internal int Drawings => Volatile.Read(ref drawings);

        public override void Flush() => Interlocked.Increment(ref drawings);
    }

    private static FindingJson Finding(string kind, string subject, string severity, string detail, string remedy) =>
        new(kind, subject, detail, remedy, PolicyDaemon.Tests.Support.TestCertificates.Now) { Severity = severity };

    private static FindingJson Shown(FindingJson finding, string key = Key) => finding with
    {
        Seen = [new PresentedKeyJson("mx.provider.example", "192.0.2.1", 25, null, key, key, finding.Since)],
    };

    private static long At(CliSession session, int seconds) => session.Time.GetUtcNow().AddSeconds(seconds).ToUnixTimeSeconds();

    private static string Mail(string queue, long arrived, params string[] recipients) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"queue_name": "{{queue}}", "queue_id": "4bQ", "arrival_time": {{arrived}}, "message_size": 300, "sender": "me@example.org", "recipients": [{{string.Join(", ", recipients.Select(to => $$"""{"address": "{{to}}", "delay_reason": "Server certificate not verified"}"""))}}]}""");
}
