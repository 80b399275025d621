using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Auditing;

/// <summary>Reads parts of the audit log, by the numbers of their rows.</summary>
/// <remarks>A plus before the number keeps SQLite from the order of the rows where that of the keys is wanted, for which there is an index: a million rows are not sorted.</remarks>
internal static class AuditPastQueries
{
    private const string Columns =
        """
        SELECT a.sequence, a.change_id, c.time, c.actor, c.login_user, c.sudo_user, c.command, c.reason, a.action, a.key, a.before, a.after,
               a.answer_before, a.answer_after, a.evidence, a.previous_hash, a.hash
        FROM audit a JOIN change c ON c.id = a.change_id

        """;

    private const string ChangeColumns =
        """
        SELECT c.id, c.time, c.actor, c.login_user, c.sudo_user, c.reason, count(*) AS rows
        FROM audit a JOIN change c ON c.id = a.change_id

        """;

    private const string ChangeOrder =
        """

        GROUP BY c.id, c.time, c.actor, c.login_user, c.sudo_user, c.reason ORDER BY max(a.sequence) DESC
        """;

    /// <summary>The last row before the first one that is later than a moment; 0 where there is none.</summary>
    internal static long LastAt(DbConnection connection, long at) =>
        connection.ExecuteScalar<long?>(
            "SELECT min(a.sequence) FROM audit a JOIN change c ON c.id = a.change_id WHERE a.sequence > 0 AND c.time > @at", new { at }) is { } later
            ? later - 1
            : connection.ExecuteScalar<long?>("SELECT max(sequence) FROM audit WHERE sequence > 0") ?? 0;

    /// <summary>The row behind the last one that is older than a moment.</summary>
    internal static long FirstSince(DbConnection connection, AuditRange range, long since) =>
        (connection.ExecuteScalar<long?>(
            "SELECT max(a.sequence) FROM audit a JOIN change c ON c.id = a.change_id WHERE a.sequence BETWEEN @first AND @last AND c.time < @since",
            new { first = range.First, last = range.Last, since }) ?? 0) + 1;

    /// <summary>The time of the first row; null where there is none.</summary>
    internal static long? Begins(DbConnection connection) => connection.ExecuteScalar<long?>(
        "SELECT c.time FROM audit a JOIN change c ON c.id = a.change_id WHERE a.sequence > 0 ORDER BY a.sequence LIMIT 1");

    internal static IEnumerable<ChangeRow> Changes(DbConnection connection, AuditRange range, string? key) => key is null
        ? connection.Query<ChangeRow>(
            ChangeColumns + "WHERE a.sequence BETWEEN @first AND @last" + ChangeOrder, new { first = range.First, last = range.Last }, buffered: false)
        : connection.Query<ChangeRow>(
            ChangeColumns + "WHERE a.key = @key AND a.sequence BETWEEN @first AND @last" + ChangeOrder,
            new { key, first = range.First, last = range.Last }, buffered: false);

    internal static IEnumerable<AuditRow> Newest(DbConnection connection, AuditRange range, string? key) => (key is null
        ? connection.Query<AuditLog.Row>(
            Columns + "WHERE a.sequence BETWEEN @first AND @last ORDER BY a.sequence DESC", new { first = range.First, last = range.Last }, buffered: false)
        : connection.Query<AuditLog.Row>(
            Columns + "WHERE a.key = @key AND a.sequence BETWEEN @first AND @last ORDER BY a.sequence DESC",
            new { key, first = range.First, last = range.Last }, buffered: false)).Select(row => row.ToAuditRow());

    internal static IEnumerable<AuditRow> OfKeys(DbConnection connection, AuditRange range, string? key) => (key is null
        ? connection.Query<AuditLog.Row>(
            Columns + "WHERE a.key IS NOT NULL AND +a.sequence BETWEEN @first AND @last ORDER BY a.key, a.sequence",
            new { first = range.First, last = range.Last }, buffered: false)
        : connection.Query<AuditLog.Row>(
            Columns + "WHERE a.key = @key AND a.sequence BETWEEN @first AND @last ORDER BY a.sequence",
            new { key, first = range.First, last = range.Last }, buffered: false)).Select(row => row.ToAuditRow());

    internal static IEnumerable<AuditRow> LastOfKeys(DbConnection connection, AuditRange range, string? key) => (key is null
        ? connection.Query<AuditLog.Row>(
            Columns +
            """
            JOIN (SELECT max(sequence) AS sequence FROM audit WHERE key IS NOT NULL AND +sequence BETWEEN @first AND @last GROUP BY key) last
            ON last.sequence = a.sequence
            """,
            new { first = range.First, last = range.Last }, buffered: false)
        : connection.Query<AuditLog.Row>(
            Columns + "WHERE a.sequence = (SELECT max(sequence) FROM audit WHERE key = @key AND sequence BETWEEN @first AND @last)",
            new { key, first = range.First, last = range.Last }, buffered: false)).Select(row => row.ToAuditRow());

    internal sealed record ChangeRow(long Id, long Time, string Actor, string? LoginUser, string? SudoUser, string? Reason, long Rows)
    {
        internal AuditedChange ToChange() => new(Id, Time.Time(), new Actor(Actor, LoginUser, SudoUser), Reason is not null, Rows);
    }
}

/// <summary>Rows of the audit log, by their numbers.</summary>
internal readonly record struct AuditRange(long First, long Last);
