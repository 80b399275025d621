using System.Text.Json;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Tests.Core.Discovery;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>Entries that leave the answer to main.cf or to what the destination publishes.</summary>
public sealed class EntryLevelTests
{
    [Fact]
    public void Default_takes_a_reason_and_is_explained()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        DiscoveryTests.Remember(session, "example.com", DiscoveryScenario.Of("S", "T10"), DiscoveredAnswer.NotFound);

        var refused = session.Run("domain", "add", "example.com", "--level", "default");
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("example.com is not discovered any more", refused.Error, StringComparison.Ordinal);

        session.Succeed("domain", "add", "example.com", "--level", "default", "--reason", "their policy names an old host");
        var result = session.Run("explain", "example.com");
        Assert.Equal((ExitCode.Negative, "example.com\tyes\tno\t(not found)\tits entry says default: main.cf decides, whatever it publishes"), (result.Code, result.Out.Split('\n')[0]));
        Assert.Contains("the entry example.com; its history", session.Run("explain", "example.com", "--format", "table").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Default_is_no_exception_from_a_parents_entry_and_says_so()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", ".example.com", "--level", "secure");

        var result = session.Run("domain", "add", "a.example.com", "--level", "default", "--reason", "test");

        Assert.Contains("Postfix goes on to .example.com", result.Error, StringComparison.Ordinal);
        Assert.Equal("secure", session.Succeed("explain", "a.example.com").Split('\n')[1].Split('\t')[3]);
    }

    [Fact]
    public void What_an_entry_had_of_another_level_goes_with_it()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", "example.com", "--level", "secure", "--match", "mx.example.com", "--ciphers", "high");

        Assert.Equal(
            "example.com\tchange\tsecure match=mx.example.com ciphers=high\t(not found)\t3\n",
            session.Succeed("domain", "set", "example.com", "--level", "default", "--reason", "broken"));
    }

    [Theory]
    [InlineData("S", "T10", false, "dane-only", "dane-only", 0)]
    [InlineData("W", "I10", true, "secure", "secure", 0)]
    [InlineData("W", "I10", true, "dane-only", "(temporary", 6)]
    [InlineData("S", "N10", false, "encrypt", "(temporary", 6)]
    [InlineData("S", "N10", false, null, "(not", 1)]
    public void Discovered_is_explained_as_it_is_answered(string mx, string hosts, bool enforce, string? floor, string answer, int code)
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        DiscoveryTests.Remember(session, "example.com", DiscoveryScenario.Of(mx, hosts, enforce), DiscoveredAnswer.NotFound);
        session.Succeed(["domain", "add", "example.com", "--level", "discovered", .. floor is null ? (string[])[] : ["--floor", floor]]);

        var result = session.Run("explain", "example.com");

        Assert.Equal(code, (int)result.Code);
        var cells = result.Out.TrimEnd('\n').Split('\t');
        Assert.Equal(answer, cells[3].Split(' ')[0]);
        Assert.StartsWith(floor is null ? "its entry says discovered: " : $"its entry says discovered, and at least {floor}: ", cells[4], StringComparison.Ordinal);
        using var json = JsonDocument.Parse(session.Run("explain", "example.com", "--format", "json").Out);
        Assert.Equal("discovery", json.RootElement.GetProperty("keys")[0].GetProperty("origin").GetString());
    }

    [Fact]
    public void Discovered_without_discovery_is_warned_of()
    {
        using var session = new CliSession();
        var result = session.Run("domain", "add", "example.com", "--level", "discovered", "--floor", "secure");
        Assert.Contains("discovery is not on (mode in [discovery]): until it is, nothing is known and mail to it waits", result.Error, StringComparison.Ordinal);
        Assert.Equal("(temporary error: what it publishes is below the floor of its entry, or not known; see policyctl explain)", session.Run("explain", "example.com").Out.Split('\t')[3]);
    }

    [Theory]
    [InlineData(".example.com", "--level", "discovered")]
    [InlineData("192.0.2.1", "--level", "discovered")]
    [InlineData("[2001:db8::1]", "--level", "discovered")]
    [InlineData("/run/lmtp", "--level", "discovered")]
    [InlineData("example.com", "--level", "secure", "--floor", "secure")]
    [InlineData("example.com", "--level", "discovered", "--match", "mx.example.com")]
    [InlineData("example.com", "--level", "default", "--ciphers", "high")]
    public void What_has_no_meaning_is_refused(string key, params string[] options)
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var result = session.Run(["domain", "add", key, .. options, "--reason", "test"]);
        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains(key, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Lists_show_them()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", "b.example", "--level", "discovered", "--floor", "dane-only");

        Assert.Contains("floor\tdane-only\nmode\tassist\nanswer\t(discovered, at least dane-only)\n", session.Succeed("domain", "show", "b.example"), StringComparison.Ordinal);
        Assert.Contains("discovered, at least dane-only", session.Succeed("domain", "list", "--format", "table"), StringComparison.Ordinal);
        Assert.StartsWith("b.example\tdiscovered\t-\tyes\t", session.Succeed("domain", "list"), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(session.Succeed("domain", "show", "b.example", "--format", "json"));
        Assert.Equal(
            ("dane-only", "discovered", "dane-only"),
            (json.RootElement.GetProperty("floor").GetString(), json.RootElement.GetProperty("answer").GetProperty("kind").GetString(), json.RootElement.GetProperty("answer").GetProperty("text").GetString()));
    }

    [Fact]
    public void A_Postfix_table_says_what_it_can_and_comments_on_the_rest()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", "a.example", "--level", "default", "--reason", "test");
        session.Succeed("domain", "add", "b.example", "--level", "discovered");
        session.Succeed("domain", "add", "c.example", "--level", "discovered", "--floor", "encrypt");

        var rows = session.Succeed("export").Split('\n').Skip(3);

        Assert.Equal(
            [
                "# as main.cf says, and not discovered: a.example", "# what it publishes: b.example", "# what it publishes, and at least encrypt: c.example",
                "c.example                                encrypt", "",
            ],
            rows);
    }

    [Fact]
    public void A_full_export_is_read_back_and_a_Postfix_table_with_such_rows_is_not()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", "a.example", "--level", "default", "--reason", "test");
        session.Succeed("domain", "add", "b.example", "--level", "discovered", "--floor", "secure");
        var table = session.Write("table", session.Succeed("export", "--full"));
        var json = session.Write("json", session.Succeed("domain", "list", "--format", "json"));

        Assert.Equal(ExitCode.Done, session.Run("apply", "--diff", table).Code);
        Assert.Equal(ExitCode.Done, session.Run("apply", "--diff", json).Code);
        var refused = session.Run("import", session.Write("postfix", "c.example default\n"));
        Assert.Contains("'default' is no TLS security level of Postfix", refused.Error, StringComparison.Ordinal);

        session.Succeed("domain", "remove", "a.example", "b.example", "--reason", "test");
        session.Succeed("apply", table, "--reason", "test");
        Assert.Contains("b.example\tdiscovered\t", session.Succeed("domain", "list"), StringComparison.Ordinal);
        session.Succeed("undo", "5", "--reason", "test");
        Assert.Equal(ExitCode.Negative, session.Run("domain", "list", "b.example").Code);
    }

    [Fact]
    public void The_default_is_explained_where_it_answers()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", "*", "--level", "encrypt");
        DiscoveryTests.Remember(session, "nothing.example", DiscoveryScenario.Of("S", "N10"), DiscoveredAnswer.NotFound);
        DiscoveryTests.Remember(session, "dane.example", DiscoveryScenario.Of("S", "T10"), DiscoveredAnswer.NotFound);

        Assert.StartsWith(
            "nothing.example\tyes\tyes\tencrypt\tthe entry *, for every domain that nothing stricter answers for; discovered: ", session.Succeed("explain", "nothing.example"), StringComparison.Ordinal);
        Assert.StartsWith("dane.example\tyes\tyes\tdane-only\tdiscovered: ", session.Succeed("explain", "dane.example"), StringComparison.Ordinal);
        Assert.Equal("(not found)", session.Run("explain", "[192.0.2.1]:587").Out.Split('\t')[3]);
        using var json = JsonDocument.Parse(session.Succeed("explain", "nothing.example", "--format", "json"));
        Assert.Equal("default", json.RootElement.GetProperty("keys")[0].GetProperty("origin").GetString());
        Assert.Equal("*", json.RootElement.GetProperty("entry").GetProperty("key").GetString());
        Assert.Contains("the entry *; its history: policyctl audit '*'", session.Succeed("explain", "nothing.example", "--format", "table"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("README.md", "Exceptions are entries. At level")]
    [InlineData("postfix-snippets/discovery.cf", "# Exceptions are entries")]
    public void The_exceptions_that_a_reader_is_shown_run_as_they_stand(string file, string begins)
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var lines = File.ReadLines(Repository.Path(file)).SkipWhile(line => !line.StartsWith(begins, StringComparison.Ordinal)).Skip(1)
            .Select(line => line.TrimStart('#', ' ')).TakeWhile(line => !line.StartsWith("smtp_", StringComparison.Ordinal) && !line.StartsWith("Every command", StringComparison.Ordinal))
            .Where(line => line.StartsWith("policyctl ", StringComparison.Ordinal)).ToList();

        Assert.Equal(3, lines.Count);
        Assert.All(lines, line => session.Succeed([.. ShellWords.Of(line.Split(" #")[0].TrimEnd()).Skip(1)]));
    }

    [Fact]
    public void Alone_an_asterisk_is_one_entry_and_two_are_all()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");
        var missing = session.Run("domain", "remove", "*", "--reason", "test");
        Assert.Equal((ExitCode.Negative, "policyctl: * is not configured, the entry for every domain that nothing else answers for; all entries are '**'\n"), (missing.Code, missing.Error));

        session.Succeed("domain", "add", "*", "--level", "encrypt");
        session.Succeed("domain", "set", "*", "--note", "everybody");
        Assert.Contains("note\teverybody\n", session.Succeed("domain", "show", "*"), StringComparison.Ordinal);
        Assert.Contains("add\t*", session.Succeed("audit", "*"), StringComparison.Ordinal);
        session.Succeed("domain", "remove", "*", "--reason", "test");
        Assert.Equal("a.example", session.Succeed("domain", "list").Split('\t')[0]);
        session.Succeed("domain", "remove", "**", "--reason", "test");
        Assert.Empty(session.Succeed("domain", "list"));
    }

    [Theory]
    [InlineData("explain", "*")]
    [InlineData("check", "*")]
    [InlineData("probe", "*")]
    [InlineData("discovery", "show", "*")]
    public void Where_a_next_hop_is_meant_the_default_is_none(params string[] words)
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", "*", "--level", "encrypt");
        var result = session.Run(words);
        Assert.Equal(ExitCode.Usage, result.Code);
        Assert.Contains("'*' is no next-hop destination, and Postfix never asks for it", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fingerprint", "--match", CliSession.Pin)]
    [InlineData("default")]
    [InlineData("discovered", "--floor", "secure")]
    public void Levels_of_one_domain_are_not_for_every_one(params string[] options)
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var result = session.Run(["domain", "add", "*", "--level", .. options, "--reason", "test"]);
        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains($"* is for every domain, and level {options[0]} is for one", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_default_is_warned_of_and_takes_a_reason_where_it_lets_plain_text_out()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        Assert.Contains("every domain that publishes nothing may leave in plain text", session.Run("domain", "add", "*", "--level", "may").Error, StringComparison.Ordinal);
        Assert.Contains("mail to every domain that publishes nothing, and has no certificate for its own name, waits", session.Run("domain", "add", "*", "--level", "secure").Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, session.Run("domain", "add", "a.example", "--level", "encrypt").Code);
        session.Succeed("domain", "add", "a.example", "--level", "encrypt", "--reason", "no certificate");
    }

    [Fact]
    public void Tables_hold_the_default_where_they_are_ours()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        session.Succeed("domain", "add", "*", "--level", "encrypt", "--ciphers", "high");
        var table = session.Write("table", session.Succeed("export", "--full"));
        Assert.Equal(ExitCode.Done, session.Run("apply", "--diff", table).Code);
        Assert.Equal("# every other domain, which no file can say (main.cf: smtp_tls_security_level): encrypt ciphers=high", session.Succeed("export").Split('\n')[3]);
        Assert.Contains("remove the row, which has had no effect", session.Run("import", session.Write("postfix", "* secure\n")).Error, StringComparison.Ordinal);
    }
}
