using System.Globalization;
using System.Text;
using System.Text.Json;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>What <c>status</c> sees for itself: a configuration that was broken since the daemon started, and mail that waits before a probe knows why.</summary>
public sealed class SeenStatusTests
{
    private const string NotVerified = "Server certificate not verified";

    [Fact]
    public void A_configuration_that_cannot_be_used_is_told_first_and_hides_no_daemon()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");
        File.AppendAllText(session.Config, "[lookup]\nsocktmap = inet:127.0.0.1:1\n");
        var line = File.ReadAllLines(session.Config).Length;
        using var running = StatusTests.Run(
            session, "store", 2, new FindingJson("new-key", "a.example", "a new key", "policyctl pin approve a.example", session.Time.GetUtcNow()) { Severity = "mail-waits" });

        var screen = session.Run("status", "--format", "table");

        Assert.Equal(ExitCode.Invalid, screen.Code);
        var lines = screen.Out.Split('\n');
        Assert.Equal("2 things need a person; mail of 1 destination waits.", lines[0]);
        Assert.Contains($"configuration-unusable: line {line.ToString(CultureInfo.InvariantCulture)}: lookup.socktmap: there is no such key", lines[3], StringComparison.Ordinal);
        Assert.Equal($"    policyd --check --config {session.Config}", lines[4]);
        Assert.StartsWith("waits ", lines[5], StringComparison.Ordinal);
        Assert.Contains("running, process 4711", screen.Out, StringComparison.Ordinal);
        Assert.Contains("1 destination (", screen.Out, StringComparison.Ordinal);

        var check = session.Run("status", "--check");
        Assert.Equal(2, (int)check.Code);
        Assert.StartsWith($"POLICYDAEMON CRITICAL - {session.Config}:", check.Out, StringComparison.Ordinal);
        Assert.Contains("; mail of 1 destination waits: new-key a.example", check.Out, StringComparison.Ordinal);
        Assert.Contains("lookup.socktmap", session.Run("status", "a.example", "--format", "table").Out, StringComparison.Ordinal);

        using var json = JsonDocument.Parse(session.Run("status", "--format", "json").Out);
        Assert.Equal(["configuration-unusable", "new-key"], json.RootElement.GetProperty("causes").EnumerateArray().Select(cause => cause.GetProperty("kind").GetString()));
        Assert.True(json.RootElement.GetProperty("running").GetBoolean());
    }

    [Fact]
    public void Beside_a_daemon_that_is_well_it_is_a_warning()
    {
        using var session = new CliSession();
        File.AppendAllText(session.Config, "[probe]\nenabled = perhaps\n");
        using var running = StatusTests.Run(session, "store", 1);

        Assert.Equal(1, (int)session.Run("status", "--check").Code);
    }

    [Fact]
    public void The_packaged_file_is_taken_to_mean_the_packaged_places_where_it_does_not_say()
    {
        var broken = SettingsReader.ParseUsable(SettingsReader.DefaultFile, Encoding.UTF8.GetBytes("[store\nstatus_file = /x\n"), null, out var problems);
        Assert.Equal(("/var/lib/policydaemon/policy.db", "/run/policydaemon/status", "/run/policydaemon/status.sock"), (broken.Database, broken.StatusFile, broken.StatusSocket));
        Assert.Equal(1, problems[0].Line);

        var said = SettingsReader.ParseUsable(SettingsReader.DefaultFile, Encoding.UTF8.GetBytes("[store]\nstatus_file = /x\ndatabse = /y\n"), null, out _);
        Assert.Equal(("/var/lib/policydaemon/policy.db", "/x"), (said.Database, said.StatusFile));
    }

    [Fact]
    public void Mail_that_waits_under_our_policy_needs_a_person_before_a_probe_says_why()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "b.example", "known.example", "--level", "encrypt");
        session.Succeed("domain", "add", ".sub.example", "--level", "encrypt");
        session.Succeed("domain", "add", "seen.example", "--level", "encrypt", "--observe");
        session.Postfix.Waiting =
        [
            Mail(session, 7200, ("x@a.example", NotVerified)), Mail(session, 60, ("y@a.example", NotVerified), ("z@b.example", NotVerified)),
            Mail(session, 60, ("x@mx.sub.example", "TLS is required, but was not offered by host mx.sub.example[192.0.2.1]")),
            Mail(session, 60, ("x@known.example", NotVerified)), Mail(session, 60, ("x@seen.example", NotVerified)),
            Mail(session, 60, ("x@other.example", NotVerified)), Mail(session, 60, ("y@b.example", "connect to mx.b.example[192.0.2.2]:25: Connection timed out")),
        ];
        using var running = StatusTests.Run(
            session, "store", 9, new FindingJson("new-key", "known.example", "a new key", "policyctl pin approve known.example", session.Time.GetUtcNow()) { Severity = "mail-waits" });

        var screen = session.Succeed("status", "--format", "table");

        Assert.StartsWith("3 things need a person; mail of 4 destinations waits", screen, StringComparison.Ordinal);
        Assert.Matches($"waits +2 destinations +2h +[0-9]+.* +delivery-deferred: Postfix defers mail for ...: {NotVerified}\n    policyctl status --kind delivery-deferred\n", screen);
        Assert.Matches("waits +mx.sub.example +1m .*not offered by host .*\n    policyctl explain mx.sub.example\n", screen);
        var rows = session.Succeed("status", "--kind", "delivery-deferred", "--format", "table");
        Assert.Contains("settle it: policyctl probe a.example\n", rows, StringComparison.Ordinal);
        Assert.Contains("settle it: policyctl probe b.example\n", rows, StringComparison.Ordinal);
        Assert.DoesNotContain("other.example", rows, StringComparison.Ordinal);
        Assert.DoesNotContain("seen.example", rows, StringComparison.Ordinal);
        Assert.Equal(2, (int)session.Run("status", "--check").Code);

        session.Postfix.Waiting = [Mail(session, 60, ("x@a.example", "connect to mx.a.example[192.0.2.2]:25: Connection timed out"))];
        Assert.DoesNotContain("delivery-deferred", session.Succeed("status", "--format", "table"), StringComparison.Ordinal);
    }

    private static string Mail(CliSession session, int age, params (string Address, string Reason)[] recipients) =>
        $$"""{"queue_name": "deferred", "queue_id": "A{{age}}", "arrival_time": {{session.Time.GetUtcNow().ToUnixTimeSeconds() - age}}, "recipients": [{{string.Join(", ", recipients.Select(one => $$"""{"address": "{{one.Address}}", "delay_reason": "{{one.Reason}}"}"""))}}]}""";
}
