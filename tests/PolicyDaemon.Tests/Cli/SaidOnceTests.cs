using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>Sentences that say nothing twice, and nothing that is not so.</summary>
public sealed class SaidOnceTests
{
    [Theory]
    [InlineData("a.example", "a.example goes", "a.example goes")]
    [InlineData("table:3: a.example", "a.example goes", "table:3: a.example goes")]
    [InlineData("a.example", "level fingerprint has no pins", "a.example: level fingerprint has no pins")]
    [InlineData("a.example", "a.example.org is another", "a.example: a.example.org is another")]
    public void The_name_stands_once_before_a_sentence_about_it(string name, string sentence, string said) =>
        Assert.Equal(said, PlannedChange.About(name, sentence));

    [Fact]
    public void A_warning_names_its_key_once()
    {
        using var session = new CliSession();

        var warned = session.Run("domain", "add", ".a.example", "--level", "encrypt").Error;

        Assert.Contains("policyctl: warning: .a.example answers for subdomains only", warned, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_asks_a_daemon_that_does_not_run_is_told_how_to_start_it()
    {
        using var session = new CliSession(lookup: "socketmap = inet:127.0.0.1:1");

        var result = session.Run("query", "a.example");
        Assert.Equal(ExitCode.DaemonNotRunning, result.Code);
        Assert.Contains("Start it: systemctl start policyd", result.Error, StringComparison.Ordinal);
        // Whoever runs there, it is not ours.
        Assert.DoesNotContain("systemctl", session.Run("query", "a.example", "--server", "inet:127.0.0.1:1").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_configured_is_told_with_the_command_that_adds_it()
    {
        using var session = new CliSession();

        Assert.Contains(
            "a.example is not configured; policyctl domain add a.example --level LEVEL adds it", session.Run("domain", "set", "a.example", "--note", "x").Error, StringComparison.Ordinal);
    }

    /// <summary>A lookup makes a probe due at once; it takes its turn, and that says nothing about the daemon.</summary>
    [Theory]
    [InlineData(59, false)]
    [InlineData(61, true)]
    public void A_probe_is_overdue_when_its_turn_has_passed_for_a_minute(int secondsAgo, bool isOverdue)
    {
        var now = new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
        var state = new ProbeState { Verdict = DestinationVerdict.Ok, VerdictSince = now.AddHours(-1), LastProbe = now.AddHours(-1), NextDue = now.AddSeconds(-secondsAgo) };

        Assert.Equal(isOverdue, VerdictSentence.Of(state, observed: false, "a.example", now).Contains("overdue", StringComparison.Ordinal));
    }
}
