using System.Text.Json;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Rows;

namespace PolicyDaemon.Store;

/// <summary>Keeps findings: one open per kind and subject, however often it is raised.</summary>
[DapperAot]
internal static class FindingTable
{
    internal static List<OpenFinding> Open(SqliteConnection connection) =>
        [.. connection.Query<FindingRow>(
            """
            SELECT id AS Id, kind AS Kind, subject AS Subject, detail AS Detail, remedy AS Remedy, since AS Since, last_seen AS LastSeen,
                   occurrences AS Occurrences, outcome AS Outcome, expected AS Expected, seen AS Seen, affects AS Affects,
                   closed AS Closed, notified AS Notified, escalation AS Escalation
            FROM finding WHERE closed IS NULL ORDER BY since, id
            """).ToList()
            .Select(row => Read(row) is { } finding ? new OpenFinding(finding, row.Occurrences, Time(row.LastSeen)) : null)
            .OfType<OpenFinding>()];

    /// <summary>Open findings, and closed ones of whose opening people were told and not yet of their end; oldest first.</summary>
    internal static List<FindingAlert> Alerts(SqliteConnection connection) =>
        [.. connection.Query<FindingRow>(
            """
            SELECT id AS Id, kind AS Kind, subject AS Subject, detail AS Detail, remedy AS Remedy, since AS Since, last_seen AS LastSeen,
                   occurrences AS Occurrences, outcome AS Outcome, expected AS Expected, seen AS Seen, affects AS Affects,
                   closed AS Closed, notified AS Notified, escalation AS Escalation
            FROM finding WHERE closed IS NULL
            UNION ALL
            SELECT id, kind, subject, detail, remedy, since, last_seen, occurrences, outcome, expected, seen, affects, closed, notified,
                   escalation
            FROM finding WHERE closed IS NOT NULL AND notified IS NOT NULL AND recovered IS NULL
            ORDER BY 6, 1
            """).ToList()
            .Select(row => Read(row) is { } finding
                ? new FindingAlert(
                    row.Id, finding, row.Occurrences, Time(row.LastSeen), row.Closed is { } closed ? Time(closed) : null,
                    row.Notified is { } notified ? Time(notified) : null, (int)row.Escalation)
                : null)
            .OfType<FindingAlert>()];

    internal static void Raise(SqliteConnection connection, Finding finding, DateTimeOffset now) =>
        connection.Execute(
            """
            INSERT INTO finding (kind, subject, detail, remedy, since, last_seen, occurrences, outcome, expected, seen, affects)
            VALUES (@kind, @subject, @detail, @remedy, @since, @lastSeen, 1, @outcome, @expected, @seen, @affects)
            ON CONFLICT (kind, subject) WHERE closed IS NULL
            DO UPDATE SET detail = excluded.detail, remedy = excluded.remedy, last_seen = excluded.last_seen, occurrences = occurrences + 1,
                          outcome = excluded.outcome, expected = excluded.expected, seen = excluded.seen, affects = excluded.affects
            """,
            new
            {
                kind = finding.Kind.Name(),
                subject = finding.Subject,
                detail = finding.Detail,
                remedy = finding.Remedy,
                since = finding.Since.ToUnixTimeSeconds(),
                lastSeen = now.ToUnixTimeSeconds(),
                outcome = finding.Outcome is { } outcome ? Core.Observations.ProbeOutcomes.Name(outcome) : null,
                expected = FindingMapping.WriteExpected(finding.Expected),
                seen = FindingMapping.WriteSeen(finding.Seen),
                affects = finding.Affects,
            });

    internal static bool Close(SqliteConnection connection, FindingKind kind, string subject, DateTimeOffset now) =>
        connection.Execute(
            "UPDATE finding SET closed = @closed WHERE kind = @kind AND subject = @subject AND closed IS NULL",
            new { closed = now.ToUnixTimeSeconds(), kind = kind.Name(), subject }) > 0;

    /// <summary>Settles what probes found about a destination that is no longer configured.</summary>
    internal static void Forget(SqliteConnection connection, string subject, DateTimeOffset now)
    {
        foreach (var row in connection.Query<NameRow>(
            "SELECT kind AS Name FROM finding WHERE subject = @subject AND closed IS NULL", new { subject }).ToList())
        {
            if (FindingKinds.TryParse(row.Name, out var kind) && kind.IsOf(FindingSource.Probe))
                Close(connection, kind, subject, now);
        }
    }

    internal static void MarkNotified(SqliteConnection connection, long id, DateTimeOffset at, int escalation) =>
        connection.Execute(
            "UPDATE finding SET notified = coalesce(notified, @at), escalation = max(escalation, @escalation) WHERE id = @id",
            new { at = at.ToUnixTimeSeconds(), escalation, id });

    internal static void MarkRecovered(SqliteConnection connection, long id, DateTimeOffset at) =>
        connection.Execute("UPDATE finding SET recovered = @at WHERE id = @id", new { at = at.ToUnixTimeSeconds(), id });

    /// <summary>A finding whose details cannot be read is shown without them: what is wrong matters more than its particulars.</summary>
    private static Finding? Read(FindingRow row)
    {
        try
        {
            return FindingMapping.ToFinding(row);
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            (row.Expected, row.Seen) = (null, null);
            return FindingMapping.ToFinding(row);
        }
    }

    private static DateTimeOffset Time(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);
}
