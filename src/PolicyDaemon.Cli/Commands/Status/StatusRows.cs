using System.Globalization;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary>The findings for cut and awk: one row each, the worst first, advice last.</summary>
internal static class StatusRows
{
    internal static readonly string[] Columns =
        ["severity", "kind", "subject", "since", "destinations", "waiting", Report.CommandColumn, "detail", "expected", "seen"];

    internal static void Write(Report report, IEnumerable<FindingJson> findings, WaitingMail? mail)
    {
        var rows = findings.Select(finding => (Finding: finding, Waiting: Waiting(finding, mail)))
            .OrderByDescending(row => FindingText.IsConfiguration(row.Finding)).ThenBy(row => FindingText.Severity(row.Finding)).ThenBy(row => FindingText.IsAdvice(row.Finding)).ThenByDescending(row => row.Waiting ?? 0)
            .ThenByDescending(row => row.Finding.Affects).ThenBy(row => row.Finding.Since).ThenBy(row => row.Finding.Subject, StringComparer.Ordinal);
        report.Tsv(Columns, rows.Select(row => (string[])
        [
            FindingText.Severity(row.Finding).Name(), row.Finding.Kind, row.Finding.Subject, UtcTime.Text(row.Finding.Since), Number(row.Finding.Affects),
            row.Waiting is { } count ? Number(count) : "-", row.Finding.Remedy, row.Finding.Detail, Joined(row.Finding.Expected),
            Joined([.. row.Finding.Seen.Select(seen => seen.PublicKeyFingerprint).Distinct()]),
        ]));
    }

    /// <returns>Null where that is not known.</returns>
    private static long? Waiting(FindingJson finding, WaitingMail? mail) =>
        mail is null ? null : StatusCause.Of([finding], mail) is [var cause] ? cause.WaitingMessages : 0;

    private static string Joined(IReadOnlyList<string> fingerprints) => fingerprints.Count == 0 ? "-" : string.Join(' ', fingerprints);

    private static string Number(long count) => count.ToString(CultureInfo.InvariantCulture);
}
