using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Once per finding, again at each escalation, and when it is over. Pure.</summary>
internal static class AlertPlan
{
    public static IEnumerable<DueAlert> Due(IEnumerable<FindingAlert> findings, ImmutableArray<TimeSpan> escalation, DateTimeOffset now)
    {
        foreach (var finding in findings)
        {
            var level = escalation.Count(time => now - finding.Finding.Since >= time);
            if (finding.Closed is not null)
            {
                if (finding.Notified is not null)
                    yield return new DueAlert(finding, AlertEvent.Settled, finding.Escalation);
            }
            else if (finding.Notified is null)
                yield return new DueAlert(finding, AlertEvent.Opened, level);
            else if (level > finding.Escalation)
                yield return new DueAlert(finding, AlertEvent.Escalated, level);
        }
    }

    /// <summary>When an escalation is due next, if nothing else happens; null where none is.</summary>
    public static DateTimeOffset? Next(IEnumerable<FindingAlert> findings, ImmutableArray<TimeSpan> escalation, DateTimeOffset now) =>
        findings
            .Where(finding => finding.Closed is null)
            .SelectMany(finding => escalation.Select(time => finding.Finding.Since + time))
            .Where(at => at > now)
            .Select(at => (DateTimeOffset?)at)
            .Min();
}
