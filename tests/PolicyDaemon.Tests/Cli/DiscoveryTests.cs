using System.Text.Json;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Core.Discovery;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class DiscoveryTests
{
    [Fact]
    public void What_is_remembered_is_shown_with_its_row_its_policy_and_every_answer()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        var scenario = DiscoveryScenario.Of("S", "T10 N20", enforce: true);
        Remember(session, "example.com", scenario, DiscoveredAnswer.NotFound);

        var text = session.Succeed("discovery", "show", "Example.com", "--format", "table");

        Assert.StartsWith("verdict  dane-only\n", text, StringComparison.Ordinal);
        Assert.Contains("(row 3)", text, StringComparison.Ordinal);
        Assert.Matches(@"mx1\.example\.com +10 +usable TLSA records +named +delivered where its certificate matches its TLSA records\n", text);
        Assert.Matches(@"mx2\.example\.com +20 +no TLSA records +named +passed over: it has no usable TLSA records\n", text);
        Assert.Contains("  mode: enforce\n", text, StringComparison.Ordinal);
        Assert.Matches(@"TLSA of _25\._tcp\.mx1\.example\.com +secure +10m", text);
        Assert.Matches(@"not-found +2 +dane-only +3", text);
    }

    [Fact]
    public void Explain_says_why_and_what_Postfix_does()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        Remember(session, "example.com", DiscoveryScenario.Of("W", "I10", enforce: true), DiscoveredAnswer.NotFound);

        var result = session.Run("explain", "example.com");
        Assert.Equal(ExitCode.Done, result.Code);
        Assert.StartsWith("example.com\tyes\tyes\tsecure match=.example.com:example.com servername=hostname\tdiscovered: its MTA-STS policy is in force; ", result.Out, StringComparison.Ordinal);

        var text = session.Succeed("explain", "example.com", "--format", "table");
        Assert.Contains("for *.example.com or example.com; otherwise it is deferred", text, StringComparison.Ordinal);
        Assert.Contains("policyctl discovery refresh example.com", text, StringComparison.Ordinal);

        using var json = JsonDocument.Parse(session.Succeed("explain", "example.com", "--format", "json"));
        Assert.Equal("discovery", json.RootElement.GetProperty("keys")[0].GetProperty("origin").GetString());
        Assert.Equal("8", json.RootElement.GetProperty("discovered").GetProperty("row").GetString());
    }

    [Fact]
    public void An_entry_of_its_own_or_of_a_parent_comes_first_in_what_is_explained_too()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        Remember(session, "a.example.com", DiscoveryScenario.Of("S", "T10"), DiscoveredAnswer.NotFound);
        session.Succeed("domain", "add", ".example.com", "--level", "encrypt");
        Assert.StartsWith("a.example.com\tyes\tno\t(not found)\t\n.example.com\tyes\tyes\tencrypt\t\n", session.Run("explain", "a.example.com").Out, StringComparison.Ordinal);
        session.Succeed("domain", "add", "a.example.com", "--level", "secure", "--match", "mx.example.com");
        Assert.StartsWith("a.example.com\tyes\tyes\tsecure match=mx.example.com\t\n", session.Run("explain", "a.example.com").Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CliSession.DiscoveryOn, "dane", 0)]
    [InlineData("security_level = encrypt\n[discovery]\nmode = on\n", "(not found)", 1)]
    [InlineData("security_level = may\n[discovery]\nmode = on\nfirst_sight = temp\n[probe]\nresolver_trusted = yes\n", "(temporary error: what this destination publishes is not known yet (first_sight = temp))", 6)]
    [InlineData("security_level = may\n[discovery]\nmode = observe\n", "(not found)", 1)]
    public void What_was_never_asked_for_is_explained_as_its_first_lookup_is_answered(string configuration, string answer, int code)
    {
        using var session = new CliSession(configuration);
        var result = session.Run("explain", "new.example");
        Assert.Equal(answer, result.Out.Split('\n')[0].Split('\t')[3]);
        Assert.Equal(code, (int)result.Code);
    }

    /// <summary>What is discovered protects mail as an entry does, and takes a reason to be weakened.</summary>
    [Theory]
    [InlineData("sts.example", "--level may", true)]
    [InlineData("sts.example", "--level encrypt", true)]
    [InlineData("sts.example", "--level secure --match mx.attacker.example", true)]
    [InlineData("sts.example", "--level secure --match mx.example.com", false)]
    [InlineData("dane.example", "--level may", true)]
    [InlineData("dane.example", "--level dane-only", false)]
    [InlineData("dane.example", "--level may --observe", false)]
    [InlineData("nothing.example", "--level may", false)]
    [InlineData("never.example", "--level may", false)]
    public void An_entry_that_weakens_what_is_discovered_takes_a_reason(string key, string policy, bool isWeaker)
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        Remember(session, "dane.example", DiscoveryScenario.Of("S", "T10"), DiscoveredAnswer.NotFound);
        Remember(session, "nothing.example", DiscoveryScenario.Of("W", "I10"), null);
        Remember(session, "sts.example", DiscoveryScenario.Of("W", "I10", enforce: true), null);
        string[] line = ["domain", "add", key, .. policy.Split(' ')];

        var result = session.Run(line);

        Assert.Equal(isWeaker ? ExitCode.Usage : ExitCode.Done, result.Code);
        Assert.Equal(isWeaker, result.Error.Contains("it publishes more, and that is answered now", StringComparison.Ordinal));
        if (isWeaker)
        {
            Assert.Equal(key == "dane.example" ? "dane-only" : "secure", session.Run([.. line, "--dry-run"]).Out.Split('\t')[2].Split(' ')[0]);
            Assert.Equal(ExitCode.Done, session.Run([.. line, "--reason", "ticket 7"]).Code);
        }
    }

    [Fact]
    public void The_list_names_verdicts_as_they_are_now()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        Remember(session, "dane.example", DiscoveryScenario.Of("S", "T10"), DiscoveredAnswer.NotFound);
        Remember(session, "nothing.example", DiscoveryScenario.Of("W", "I10"), null);
        Remember(session, "sts.example", DiscoveryScenario.Of("W", "I10", enforce: true), null);

        Assert.Equal(
            "dane.example dane-only 1|nothing.example not-found 8|sts.example secure 8",
            string.Join('|', session.Succeed("discovery", "list").Trim().Split('\n').Select(line => string.Join(' ', line.Split('\t')[..3]))));
        Assert.StartsWith("sts.example\t", session.Succeed("discovery", "list", "--verdict", "secure"), StringComparison.Ordinal);
        Assert.Equal("Nothing was discovered.\n", session.Succeed("discovery", "list", "--verdict", "unknown", "--format", "table"));
        Assert.Equal(ExitCode.Usage, session.Run("discovery", "list", "--verdict", "good").Code);

        // The policy expires.
        session.Time.Advance(TimeSpan.FromDays(8));
        Assert.Equal("", session.Succeed("discovery", "list", "--verdict", "secure"));
    }

    [Fact]
    public void What_protects_mail_is_not_forgotten_before_it_ends()
    {
        using var session = new CliSession(CliSession.DiscoveryOn);
        Remember(session, "sts.example", DiscoveryScenario.Of("W", "I10", enforce: true), DiscoveredAnswer.NotFound);
        Remember(session, "dane.example", DiscoveryScenario.Of("S", "T10"), DiscoveredAnswer.NotFound);

        var refused = session.Run("discovery", "forget", "dane.example", "sts.example");
        Assert.Equal(ExitCode.Invalid, refused.Code);
        Assert.Contains("policyctl discovery refresh sts.example", refused.Error, StringComparison.Ordinal);
        session.Succeed("discovery", "show", "dane.example");

        session.Succeed("discovery", "forget", "dane.example");
        Assert.Equal(ExitCode.Negative, session.Run("discovery", "show", "dane.example").Code);
        Assert.Equal(ExitCode.Negative, session.Run("discovery", "forget", "dane.example").Code);
    }

    [Fact]
    public async Task Everything_is_asked_for_anew_and_stored()
    {
        await using var network = new ProbedNetwork(trusted: true, postfix: CliSession.DiscoveryOn);
        network.Domain("partner.test", "mx.partner.test", secure: true, "192.0.2.1");
        network.Tlsa("mx.partner.test", TestCertificates.SelfSigned("mx.partner.test"));

        var result = network.Session.Run("discovery", "refresh", "partner.test");

        Assert.Contains("why\t", result.Out, StringComparison.Ordinal);
        using var store = PolicyStore.Open(network.Session.Store, StoreAccess.Read, network.Session.Time);
        Assert.NotNull(store.FindDiscovered(NextHop.Parse("partner.test")));
        Assert.Equal(ExitCode.Invalid, network.Session.Run("discovery", "refresh", ".partner.test").Code);
    }

    internal static void Remember(CliSession session, string key, DiscoveryScenario scenario, DiscoveredAnswer? from)
    {
        var verdict = scenario.Use();
        var memory = scenario.Memory with { Key = NextHop.Parse(key), Used = session.Time.GetUtcNow() };
        var change = from is { } before ? new DiscoveryChange(scenario.Now, before, DiscoveryRow.NoDane, verdict.Answer, verdict.Row, scenario.Last!) : null;
        using var store = PolicyStore.Open(session.Store, StoreAccess.Write, session.Time);
        store.WriteDiscovered([new DiscoveredEntry(memory, change)]);
    }
}
