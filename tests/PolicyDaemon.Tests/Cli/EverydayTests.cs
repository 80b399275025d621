using System.Text.RegularExpressions;
using System.CommandLine;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>What one does every day and twice: several keys, the same again, waiting, searching.</summary>
public class EverydayTests
{
    [Fact]
    public void What_is_so_already_can_be_added_again()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "fingerprint", "--match", CliSession.Pin, "--note", "ours");
        session.Time.Advance(TimeSpan.FromDays(1));

        var again = session.Run("domain", "add", "A.Example.", "--level", "fingerprint", "--match", CliSession.Pin);

        Assert.Equal(ExitCode.Done, again.Code);
        Assert.Contains("Nothing to change: it is so already.", again.Error, StringComparison.Ordinal);
        Assert.Equal(2, session.Succeed("audit").Count(character => character == '\n'));
    }

    [Theory]
    [InlineData("--level", "secure")]
    [InlineData("--level", "fingerprint", "--match", CliSession.OtherPin)]
    [InlineData("--level", "fingerprint", "--match", CliSession.Pin, "--observe")]
    [InlineData("--level", "fingerprint", "--match", CliSession.Pin, "--mode", "locked")]
    [InlineData("--level", "fingerprint", "--match", CliSession.Pin, "--note", "theirs")]
    [InlineData("--level", "fingerprint", "--match", CliSession.Pin, "--ciphers", "high")]
    public void What_is_configured_otherwise_is_not_added(params string[] options)
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "fingerprint", "--match", CliSession.Pin, "--note", "ours");

        var other = session.Run(["domain", "add", "b.example", "a.example", .. options]);

        Assert.Equal(ExitCode.Invalid, other.Code);
        Assert.Contains("a.example is configured already, otherwise than this", other.Error, StringComparison.Ordinal);
        Assert.Single(session.Succeed("domain", "list").TrimEnd().Split('\n'));
    }

    [Fact]
    public void Several_keys_are_one_change_and_one_undo()
    {
        using var session = new CliSession();

        session.Succeed("domain", "add", "a.example", "b.example", "c.other", "--level", "secure");
        session.Succeed("domain", "set", "*.example", "--mode", "locked");
        session.Succeed("domain", "remove", "a.example", "*.other", "--reason", "moved");

        Assert.Equal(["b.example"], Keys(session));
        session.Succeed("undo", "4", "--reason", "not moved");
        Assert.Equal(["a.example", "b.example", "c.other"], Keys(session));
        Assert.Contains("a.example\tsecure\t-\tyes\tlocked", session.Succeed("domain", "list"), StringComparison.Ordinal);
        session.Succeed("undo", "3");
        session.Succeed("undo", "2", "--reason", "none of them");
        Assert.Empty(session.Succeed("domain", "list"));
    }

    [Fact]
    public void One_of_several_that_cannot_be_changed_changes_none()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "secure");

        Assert.Equal(ExitCode.Negative, session.Run("domain", "remove", "a.example", "missing.example", "--reason", "x").Code);
        Assert.Equal(["a.example"], Keys(session));
    }

    [Theory]
    [InlineData("MÜNCHEN.example", "xn--mnchen-3ya.example")]
    [InlineData("münchen.example.", "xn--mnchen-3ya.example")]
    [InlineData("mün*", "xn--mnchen-3ya.example")]
    [InlineData("MÜN*.EXAMPLE", "xn--mnchen-3ya.example")]
    [InlineData("*ü*", "xn--mnchen-3ya.example")]
    [InlineData("xn--m*", "xn--mnchen-3ya.example")]
    [InlineData("Partner001.Example.", "partner001.example")]
    [InlineData("partner*.example.", "partner001.example")]
    [InlineData("[MX.*]:submission", null)]
    [InlineData("[mx.*]:587", "[mx.relay.test]:587")]
    [InlineData("[MX.relay.test]:submission", "[mx.relay.test]:587")]
    [InlineData("m?nchen.example", null)]
    [InlineData("mü?chen.example", "xn--mnchen-3ya.example")]
    public void A_pattern_finds_names_in_any_spelling(string pattern, string? found)
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "münchen.example", "partner001.example", "[mx.relay.test]:587", "--level", "encrypt");

        var result = session.Run("domain", "list", pattern);

        Assert.Equal(found ?? "", result.Out.Split('\t')[0]);
        Assert.Equal(found is null ? ExitCode.Negative : ExitCode.Done, result.Code);
        Assert.Equal(found is null ? $"No key matches {pattern}.\n" : "", result.Error);
    }

    [Theory]
    [InlineData("https://partner.example", "a URL", "partner.example")]
    [InlineData("http://Partner.Example:8443/path?x@y", "a URL", "partner.example")]
    [InlineData("smtp://mx.partner.example:587", "a URL", "mx.partner.example:587")]
    [InlineData("user@partner.example", "a mail address", "partner.example")]
    [InlineData("mailto:user@münchen.example", "a mail address", "münchen.example")]
    public void A_web_or_mail_address_is_refused_with_the_key_that_was_meant(string given, string kind, string meant)
    {
        using var session = new CliSession { Input = $"{given} encrypt\n" };

        var added = session.Run("domain", "add", given, "--level", "secure");
        var imported = session.Run("import", "-");

        Assert.Equal($"policyctl: '{given}' is {kind}, not a next-hop destination; the key for its mail is {meant}\n", added.Error);
        Assert.Equal(ExitCode.Usage, added.Code);
        Assert.Contains($"is {kind}, not a next-hop destination; the key for its mail is {meant}", imported.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Invalid, imported.Code);
    }

    [Theory]
    [InlineData("/var/spool/postfix/private/dovecot-lmtp")]
    [InlineData("private/dovecot-lmtp")]
    public void The_path_of_a_socket_stays_a_key(string path)
    {
        using var session = new CliSession();

        session.Succeed("domain", "add", path, "--level", "may");

        Assert.Equal([path], Keys(session));
    }

    [Theory]
    [InlineData("6D:4C:11:AD")]
    [InlineData("09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C")]
    [InlineData(CliSession.Pin)]
    public void A_fingerprint_at_a_level_that_compares_names_is_called_one(string fingerprint)
    {
        using var session = new CliSession { Input = $"a.example secure match={fingerprint}\n" };

        var added = session.Run("domain", "add", "a.example", "--level", "secure", "--match", fingerprint);
        var imported = session.Run("import", "-");

        Assert.Equal($"policyctl: --match {fingerprint}: match is a fingerprint, which level secure does not compare; for a pin: --level fingerprint\n", added.Error);
        Assert.Contains("match is a fingerprint, which level secure does not compare; for a pin the level is fingerprint", imported.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_entry_for_subdomains_is_mentioned_where_the_domain_itself_is_explained()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", ".gmail.com", "--level", "encrypt");

        var result = session.Run("explain", "gmail.com", "--format", "table");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains(
            ".gmail.com is configured and answers for subdomains only; for gmail.com itself: policyctl domain add gmail.com --like .gmail.com", result.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("subdomains only", session.Succeed("explain", "mx.gmail.com", "--format", "table"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_quiet_command_says_only_what_went_wrong()
    {
        using var session = new CliSession();

        var done = session.Run("domain", "add", "a.example", "--level", "secure", "--quiet");
        var refused = session.Run("domain", "set", "a.example", "--level", "may", "-q");

        Assert.Equal(("", ""), (done.Out, done.Error));
        Assert.Contains("needs --reason", refused.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, refused.Code);
    }

    [Fact]
    public void Waiting_for_a_daemon_that_does_not_run_says_so_and_the_change_stands()
    {
        using var session = new CliSession();

        var result = session.Run("domain", "add", "a.example", "--level", "secure", "--wait", "5");

        Assert.Equal(ExitCode.DaemonNotRunning, result.Code);
        Assert.Equal(
            "policyctl: it is stored, and policyd does not run: it is served once that is started (systemctl start policyd)", result.Error.TrimEnd().Split('\n')[^1]);
        Assert.Single(Regex.Matches(result.Error, "does not run"));
        Assert.Equal(["a.example"], Keys(session));
    }

    [Fact]
    public void An_interrupt_while_policyd_is_awaited_says_that_the_change_is_stored()
    {
        using var session = new CliSession();
        var statusFile = Path.Combine(session.Directory, "status.json");
        File.AppendAllText(session.Config, $"[store]\nstatus_file = {statusFile}\n");
        using var running = DaemonLock.TryTake(statusFile);
        using var interruption = new Interruption();
        session.Interruption = interruption;
        session.Committed = interruption.Interrupt;

        var result = session.Run("domain", "add", "a.example", "--level", "secure", "--wait", "60", "--quiet");

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.Equal("policyctl: interrupted; it is stored, and only the waiting for policyd ended. See: policyctl status\n", result.Error);
        Assert.Equal(["a.example"], Keys(session));
    }

    [Theory]
    [InlineData(false, "interrupted; nothing was stored")]
    [InlineData(true, "interrupted; it is stored, and only what comes after that ended")]
    public void An_interrupt_never_calls_what_is_done_not_stored(bool isDone, string sentence)
    {
        using var interruption = new Interruption();
        var runner = new CommandRunner(new GlobalOptions(), CliHost.System() with { Interruption = () => interruption, IsDone = () => isDone });
        var handle = runner.Handle((_, cancellation) =>
        {
            interruption.Interrupt();
            return Task.FromCanceled<ExitCode>(cancellation);
        });

        Assert.Equal(sentence, Assert.Throws<CommandException>(() => handle(new RootCommand().Parse([]))).Message);
    }

    [Fact]
    public void Waiting_ends_once_the_daemon_has_taken_the_change_over()
    {
        using var session = new CliSession();
        var statusFile = Path.Combine(session.Directory, "status.json");
        File.AppendAllText(session.Config, $"[store]\nstatus_file = {statusFile}\n");
        using var running = DaemonLock.TryTake(statusFile);
        var storeId = session.Succeed("init", "--format", "json").Split("\"store_id\": \"")[1].Split('"')[0];

        session.Succeed("domain", "add", "a.example", "--level", "secure");
        Write(sequence: 1);
        Assert.Equal(ExitCode.Inconclusive, session.Run("domain", "add", "a.example", "--level", "secure", "--wait", "0").Code);
        Write(sequence: 2);
        session.Succeed("domain", "add", "a.example", "--level", "secure", "--wait", "0");

        void Write(long sequence) => DaemonStatusFile.Write(statusFile, new DaemonStatus(
            "1", 1, default, default, [], new SnapshotStatus("store", storeId, sequence, "", 1, default),
            new LookupCounts(0, 0, 0, 0, 0, new ConnectionCounts(0, 0, 0, 0, 0, 0), 0), Array.Empty<FindingJson>()));
    }

    [Fact]
    public void The_audit_log_is_searched_by_time_and_person()
    {
        using var session = new CliSession();
        session.Time.Advance(TimeSpan.FromDays(2));
        session.Succeed("domain", "add", "a.example", "--level", "secure");

        Assert.Single(session.Succeed("audit", "--since", "1d").TrimEnd().Split('\n'));
        Assert.Single(session.Succeed("audit", "--since", "2026-11-25").TrimEnd().Split('\n'));
        Assert.Single(session.Succeed("audit", "--since", "2026-11-25T12:00Z").TrimEnd().Split('\n'));
        Assert.Equal(2, session.Succeed("audit", "--since", "3d").TrimEnd().Split('\n').Length);
        Assert.Equal(2, session.Succeed("audit", "--who", "alice").TrimEnd().Split('\n').Length);
        Assert.Equal(ExitCode.Negative, session.Run("audit", "--who", "bob").Code);
        Assert.Equal("Nothing of that kind was changed.\n", session.Run("audit", "--who", "bob").Error);
    }

    [Fact]
    public void A_header_names_the_columns()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "secure");

        Assert.StartsWith("key\tlevel\tpins\tserved\t", session.Succeed("domain", "list", "--header"), StringComparison.Ordinal);
        Assert.StartsWith("name\tvalue\nkey\ta.example\n", session.Succeed("domain", "show", "a.example", "--header"), StringComparison.Ordinal);
        Assert.DoesNotContain("name\tvalue", session.Succeed("domain", "show", "a.example", "--header", "--format", "table"), StringComparison.Ordinal);
    }

    private static string[] Keys(CliSession session) =>
        [.. session.Succeed("domain", "list").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')[0])];
}
