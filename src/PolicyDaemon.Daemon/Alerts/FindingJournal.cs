using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Findings as the journal has them: one line when a finding opens, at each escalation and when it is over.</summary>
internal static class FindingJournal
{
    /// <summary>Writes the line of one finding, except where its source writes one of its own.</summary>
    public static void Journal(this ILogger logger, AlertEvent what, Finding finding, DateTimeOffset now)
    {
        var isElsewhere = finding.Kind.Description().IsJournalledBySource;
        switch (what)
        {
            case AlertEvent.Opened when !isElsewhere:
                logger.FindingReported(finding.Kind.Name(), finding.Subject, finding.Detail, Particulars(finding), finding.Remedy);
                break;
            case AlertEvent.Escalated:
                logger.FindingEscalated(
                    finding.Kind.Name(), finding.Subject, TimeSpan.FromMinutes((long)(now - finding.Since).TotalMinutes).ToText(),
                    finding.Detail, finding.Remedy);
                break;
            case AlertEvent.Settled when !isElsewhere:
                logger.FindingClosed(finding.Kind.Name(), finding.Subject);
                break;
        }
    }

    private static string Particulars(Finding finding)
    {
        var text = new StringBuilder();
        if (finding.Affects > 1)
            text.Append(CultureInfo.InvariantCulture, $"; {finding.Affects} destinations");
        if (!finding.Expected.IsEmpty)
            text.Append("; expected ").AppendJoin(' ', finding.Expected);
        if (!finding.Seen.IsEmpty)
            text.Append("; seen ").AppendJoin(' ', finding.Seen.Select(seen => seen.PublicKey).Distinct());
        return text.ToString();
    }
}
