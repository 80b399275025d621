using System.Text.Json;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class ExplainTests
{
    [Fact]
    public void The_walk_to_parents_and_the_key_that_decides()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", ".example.com", "--level", "fingerprint", "--match", CliSession.Pin);

        var result = session.Run("explain", "A.b.Example.com");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Equal(
            $"""
            a.b.example.com	yes	no	(not found)	
            .b.example.com	yes	no	(not found)	
            .example.com	yes	yes	fingerprint match={CliSession.Pin}	
            .com	no	no	(not found)	

            """, result.Out);
    }

    [Theory]
    [InlineData("policyctl pin approve example.com bbbbbbbb", "Next: policyctl pin approve example.com bbbbbbbb\n")]
    [InlineData("policyctl explain example.com", "")]
    public void What_is_open_about_the_entry_is_told_with_the_command_that_settles_it(string remedy, string last)
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", CliSession.Pin);
        using (var store = PolicyStore.Open(session.Store, StoreAccess.Write, session.Time))
        {
            store.RaiseFinding(new Finding(FindingKind.PinHeld, "example.com", "seen at an old address", "policyctl pin list example.com", session.Time.GetUtcNow()));
            store.RaiseFinding(new Finding(FindingKind.NewKey, "example.com", "mx.example.com presents another key", remedy, session.Time.GetUtcNow()));
            store.RaiseFinding(new Finding(FindingKind.NewKey, "other.example", "not this one", "policyctl status", session.Time.GetUtcNow()));
        }

        var shown = session.Run("explain", "user@example.com", "--format", "table").Out;

        Assert.Contains("finding  new-key: mx.example.com presents another key\n", shown, StringComparison.Ordinal);
        Assert.Equal(last, shown.Split('\n').Where(line => line.StartsWith("Next:", StringComparison.Ordinal)).Select(line => line + "\n").SingleOrDefault(""));
        Assert.DoesNotContain("not this one", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_daemon_nothing_is_said_to_be_delivered()
    {
        using var session = new CliSession();
        var changed = session.Run("domain", "add", "example.com", "--level", "fingerprint", "--match", CliSession.Pin);
        const string Absence = "policyd does not run: mail waits, every delivery that asks it is deferred (4.7.5) and tried again. Start it: systemctl start policyd";
        Assert.Contains(Absence, changed.Error, StringComparison.Ordinal);
        Assert.Contains("policyd does not run: mail waits", session.Run("explain", "example.com", "--format", "table").Out, StringComparison.Ordinal);

        using (DaemonLock.TryTake(SettingsReader.Load(session.Config).StatusFile))
        {
            Assert.DoesNotContain("does not run", session.Run("explain", "example.com", "--format", "table").Out, StringComparison.Ordinal);
            Assert.DoesNotContain("does not run", session.Run("pin", "add", "example.com", CliSession.OtherPin).Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_observed_entry_leaves_the_answer_to_the_table_behind_and_says_so()
    {
        using var session = new CliSession();
        session.Postfix.Text = new PostconfText(("smtp_tls_policy_maps", "socketmap:inet:127.0.0.1:8461:tlspolicy, hash:/etc/postfix/tls_policy"));
        var changed = session.Run("domain", "add", "example.com", "--level", "encrypt", "--observe");

        const string Next = "so Postfix asks hash:/etc/postfix/tls_policy, and a row there decides; see it with: postmap -q example.com hash:/etc/postfix/tls_policy";
        Assert.Contains(Next, changed.Error, StringComparison.Ordinal);
        var said = session.Run("explain", "example.com", "--format", "table").Out;
        Assert.Contains("postmap -q example.com hash:/etc/postfix/tls_policy", said.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Contains("hash:/etc/postfix/tls_policy of smtp_tls_policy_maps decides", session.Run("status", "--all", "--format", "tsv").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_key_says_where_its_answer_comes_from()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", ".example.com", "--level", "encrypt");
        session.Succeed("domain", "add", ".b.example.com", "--level", "secure", "--match", "mx.example.com", "--observe");

        using var json = JsonDocument.Parse(session.Run("explain", "a.b.example.com", "--format", "json").Out);

        // An observed entry counts as absent, here as in a lookup.
        Assert.Equal(
            ["a.b.example.com parent", ".b.example.com parent", ".example.com entry", ".com none"],
            json.RootElement.GetProperty("keys").EnumerateArray().Select(key => $"{key.GetProperty("key")} {key.GetProperty("origin")}"));
    }

    [Fact]
    public void What_happens_to_mail_in_plain_words()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", CliSession.Pin, "--match", CliSession.OtherPin);

        Assert.Contains(
            "mail  delivered only to a server whose certificate or public key has one of these 2 fingerprints; "
            + "otherwise it is deferred (4.7.5), tried again, and returned after maximal_queue_lifetime (5 days)\n",
            session.Succeed("explain", "example.com", "--format", "table"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none", "sent in plain text, always")]
    [InlineData("may", "TLS where the server offers it, otherwise plain text")]
    [InlineData("encrypt", "sent over TLS or not at all")]
    [InlineData("dane", "elsewhere TLS without authentication, or plain text")]
    [InlineData("dane-only", "TLSA records under DNSSEC; otherwise it is deferred")]
    [InlineData("verify", "for the MX host's name, which plain DNS gives; otherwise")]
    [InlineData("secure", "for example.com or a host below it; otherwise")]
    [InlineData("secure --match nexthop --match .mx.example", "for the next hop or a host below mx.example; otherwise")]
    public void Every_level_in_plain_words(string level, string words)
    {
        using var session = new CliSession();
        session.Succeed(["domain", "add", "example.com", "--level", .. level.Split(' ')]);

        Assert.Contains(words, session.Succeed("explain", "example.com", "--format", "table"), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_an_entry_main_cf_decides()
    {
        using var session = new CliSession();

        var result = session.Run("explain", "example.com", "--format", "table");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains("mail  no policy: Postfix uses smtp_tls_security_level = may (assumed)", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_configuration_says_of_main_cf_is_not_called_assumed()
    {
        using var session = new CliSession(postfix: "security_level = dane");

        Assert.Contains(
            "mail  no policy: Postfix uses smtp_tls_security_level = dane\n", session.Run("explain", "example.com", "--format", "table").Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("notfound", (int)ExitCode.Negative, "(not found): near miss, [mx.example.com]:587 is configured and is another key")]
    [InlineData("temp", (int)ExitCode.Inconclusive, "(temporary error: this host is configured in another form")]
    public void A_near_miss_is_named_with_the_command_that_settles_it(string answer, int code, string words)
    {
        using var session = new CliSession("near_miss = " + answer);
        session.Succeed("domain", "add", "[mx.example.com]:587", "--level", "encrypt");

        var result = session.Run("explain", "[mx.example.com]:smtp", "--format", "table");

        Assert.Equal(code, (int)result.Code);
        Assert.Contains(words, result.Out, StringComparison.Ordinal);
        Assert.Contains("policyctl domain add '[mx.example.com]:25' --like '[mx.example.com]:587'", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_near_miss_of_other_servers_is_no_model_for_the_key()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "mx.example.com", "--level", "secure");

        var result = session.Run("explain", "[mx.example.com]:smtp", "--format", "table");

        Assert.Contains("it takes an entry; what would deliver: policyctl check '[mx.example.com]:25'", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void An_entry_that_cannot_be_served_any_more_defers_mail_and_says_why()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", CliSession.Pin);
        var other = session.Write("sha1.conf", File.ReadAllText(session.Config) + "fingerprint_digest = sha1\n");

        var result = session.RunWith("explain", "example.com", "--format", "json", "--config", other);

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.Contains("; once policyd runs: deferred (4.7.5) and tried again, never sent in the clear", result.Out, StringComparison.Ordinal);
        Assert.Contains("it is a sha256 digest and Postfix compares sha1", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void An_observed_entry_lets_the_walk_go_on()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example.com", "--level", "secure", "--observe");
        session.Succeed("domain", "add", ".example.com", "--level", "encrypt");

        var result = session.Succeed("explain", "a.example.com");

        Assert.Contains("a.example.com\tyes\tno\t(not found)\tconfigured, but only observed\n.example.com\tyes\tyes\tencrypt\t\n", result, StringComparison.Ordinal);
    }

    [Fact]
    public void The_word_finding_alone_lists_every_kind()
    {
        using var session = new CliSession();

        var rows = session.Succeed("explain", "finding").TrimEnd('\n').Split('\n');

        Assert.Equal(FindingKinds.All.Length, rows.Length);
        Assert.Contains(rows, row => row.StartsWith("new-key\t", StringComparison.Ordinal));
        using var json = JsonDocument.Parse(session.Succeed("explain", "finding", "--format", "json"));
        Assert.Equal(FindingKinds.All.Length, json.RootElement.GetArrayLength());
        Assert.Equal(ExitCode.Usage, session.Run("explain", "finding", "nonsense").Code);
    }

    [Fact]
    public void Whatever_is_open_about_the_entry_stands_in_the_JSON()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "fingerprint", "--match", CliSession.Pin);
        using (var store = PolicyStore.Open(session.Store, StoreAccess.Write, session.Time))
        {
            store.RaiseFinding(new Finding(FindingKind.PinBesideDane, "a.example", "TLSA records match", "policyctl domain set a.example --level dane-only", session.Time.GetUtcNow()));
            store.RaiseFinding(new Finding(FindingKind.NewKey, "a.example", "a key", "policyctl pin approve a.example", session.Time.GetUtcNow()));
        }

        foreach (var words in (string[][])[["explain", "a.example"], ["domain", "show", "a.example"]])
        {
            var shown = session.Succeed([.. words, "--format", "json"]);
            using var json = JsonDocument.Parse(shown);
            Assert.Equal(["new-key", "pin-beside-dane"], json.RootElement.GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("kind").GetString()));
            session.Write("shown.json", shown);
        }

        // What domain show writes is what apply reads.
        Assert.Equal(ExitCode.Done, session.Run("apply", Path.Combine(session.Directory, "shown.json")).Code);
    }
}
