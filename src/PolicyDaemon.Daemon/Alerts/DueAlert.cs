using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>What people are to be told now, in one message.</summary>
/// <param name="Event">Why.</param>
/// <param name="Escalation">What the message says: 0 for the opening, however old the finding is.</param>
/// <param name="Findings">One finding, or those that are told together.</param>
/// <param name="Together">The lowest number of those that are told together; null for a finding by itself.</param>
internal sealed record DueAlert(AlertEvent Event, int Escalation, IReadOnlyList<FindingAlert> Findings, long? Together)
{
    /// <summary>The escalation that is reached by it.</summary>
    public int Reached { get; init; } = Escalation;

    /// <summary>The number that stands for the message: it is never another one's.</summary>
    public long Id => Together ?? Findings[0].Id;
}
