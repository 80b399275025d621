using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Daemon.Alerts;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Alerts;

public sealed class AlertPlanTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly ImmutableArray<TimeSpan> Escalation = [TimeSpan.FromHours(4), TimeSpan.FromHours(24), TimeSpan.FromHours(72)];

    [Theory]
    [InlineData(0, false, 0, "Opened 0")]
    [InlineData(0, true, 0, "")]
    [InlineData(3.9, true, 0, "")]
    [InlineData(4, true, 0, "Escalated 1")]
    [InlineData(5, true, 1, "")]
    [InlineData(24, true, 1, "Escalated 2")]
    [InlineData(100, true, 1, "Escalated 3")] // the daemon was off meanwhile: said once
    [InlineData(100, false, 0, "Opened 0")] // nobody could be told before: told once
    [InlineData(1000, true, 3, "")]
    public void An_open_finding_is_told_once_and_again_at_each_escalation(double hours, bool notified, int escalation, string expected)
    {
        Assert.Equal(expected, Told(Finding(hours, notified, escalation)));
    }

    [Fact]
    public void A_settled_finding_is_told_where_people_heard_of_it()
    {
        Assert.Equal("Settled 1", Told(Finding(10, notified: true, 1) with { Closed = Now.AddMinutes(-1) }));
        Assert.Equal("", Told(Finding(10, notified: true, 1) with { Closed = Now.AddSeconds(-5) })); // it may come back
        Assert.Equal("", Told(Finding(10, notified: false, 0) with { Closed = Now }));
    }

    [Fact]
    public void The_next_escalation_is_known()
    {
        Assert.Equal(Now.AddHours(3), AlertPlan.Next([Finding(1, true, 0), Finding(4.5, true, 1), Finding(90, true, 3)], Escalation, Now));
        Assert.Equal(Now + AlertPlan.SettlesAfter, AlertPlan.Next([Finding(90, true, 3), Finding(1, true, 0) with { Closed = Now }], Escalation, Now));
        Assert.Null(AlertPlan.Next([Finding(90, true, 3)], Escalation, Now));
    }

    [Fact]
    public void Without_escalation_times_nothing_is_repeated()
    {
        Assert.Empty(AlertPlan.Due([Finding(1000, true, 0)], [], Now, _ => false));
    }

    private static string Told(FindingAlert finding) =>
        string.Join(',', AlertPlan.Due([finding], Escalation, Now, _ => false).Select(due => $"{due.Event} {due.Escalation}"));

    private static FindingAlert Finding(double hours, bool notified, int escalation) => new(
        1, new Finding(FindingKind.PinMismatch, "a.example", "detail", "remedy", Now.AddHours(-hours)), 1, Now, null,
        notified ? Now.AddHours(-hours) : null, escalation);
}
