using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Rows;

namespace PolicyDaemon.Store;

/// <summary>Keeps findings: one open per kind and subject, however often it is raised.</summary>
[DapperAot]
internal static class FindingTable
{
    internal static List<OpenFinding> Open(SqliteConnection connection) =>
        [.. connection.Query<FindingRow>(
            """
            SELECT kind AS Kind, subject AS Subject, detail AS Detail, remedy AS Remedy, since AS Since, last_seen AS LastSeen,
                   occurrences AS Occurrences
            FROM finding WHERE closed IS NULL ORDER BY since, id
            """).ToList().Select(Read).OfType<OpenFinding>()];

    internal static void Raise(SqliteConnection connection, Finding finding, DateTimeOffset now) =>
        connection.Execute(
            """
            INSERT INTO finding (kind, subject, detail, remedy, since, last_seen, occurrences)
            VALUES (@kind, @subject, @detail, @remedy, @since, @lastSeen, 1)
            ON CONFLICT (kind, subject) WHERE closed IS NULL
            DO UPDATE SET detail = excluded.detail, remedy = excluded.remedy, last_seen = excluded.last_seen, occurrences = occurrences + 1
            """,
            new
            {
                kind = finding.Kind.Name(),
                subject = finding.Subject,
                detail = finding.Detail,
                remedy = finding.Remedy,
                since = finding.Since.ToUnixTimeSeconds(),
                lastSeen = now.ToUnixTimeSeconds(),
            });

    internal static bool Close(SqliteConnection connection, FindingKind kind, string subject, DateTimeOffset now) =>
        connection.Execute(
            "UPDATE finding SET closed = @closed WHERE kind = @kind AND subject = @subject AND closed IS NULL",
            new { closed = now.ToUnixTimeSeconds(), kind = kind.Name(), subject }) > 0;

    // A kind that a later version added means nothing here; its row stays for that version.
    private static OpenFinding? Read(FindingRow row) => FindingKinds.TryParse(row.Kind, out var kind)
        ? new OpenFinding(
            new Finding(kind, row.Subject, row.Detail, row.Remedy, DateTimeOffset.FromUnixTimeSeconds(row.Since)),
            row.Occurrences,
            DateTimeOffset.FromUnixTimeSeconds(row.LastSeen))
        : null;
}
