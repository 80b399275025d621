using System.Text.Json;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Rows;

namespace PolicyDaemon.Store;

/// <summary>Reads the audit log.</summary>
[DapperAot]
internal static class AuditLog
{
    private const string Columns =
        """
        SELECT a.sequence AS Sequence, a.change_id AS ChangeId, c.time AS Time, c.actor AS Actor, c.login_user AS LoginUser,
               c.sudo_user AS SudoUser, c.command AS Command, c.reason AS Reason, a.action AS Action, a.key AS Key,
               a.before AS Before, a.after AS After, a.answer_before AS AnswerBefore, a.answer_after AS AnswerAfter,
               a.evidence AS Evidence, a.previous_hash AS PreviousHash, a.hash AS Hash

        """;

    internal static AuditHead Head(SqliteConnection connection)
    {
        var row = connection.QueryFirstOrDefault<AuditHeadRow>(
            "SELECT sequence AS Sequence, hash AS Hash FROM audit ORDER BY sequence DESC LIMIT 1");
        return row is null ? AuditHead.Empty : new AuditHead(row.Sequence, row.Hash);
    }

    internal static string? HashAt(SqliteConnection connection, long sequence) =>
        connection.QueryFirstOrDefault<string>("SELECT hash FROM audit WHERE sequence = @sequence", new { sequence });

    /// <summary>True where a row accepts this store in place of the one that was last loaded.</summary>
    internal static bool Accepts(SqliteConnection connection, SnapshotIdentity lastLoaded)
    {
        // Typed, not var: Dapper's generator does not see the serializer's generated code, and would leave the call below to run time.
        string document = JsonSerializer.Serialize(
            new AcceptedStoreDocument(lastLoaded.StoreId, lastLoaded.Sequence, lastLoaded.Hash), StoreJson.Default.AcceptedStoreDocument);
        var action = AuditAction.Accept.Name();
        return connection.QueryFirstOrDefault<string>(
            "SELECT hash FROM audit WHERE action = @action AND evidence = @document LIMIT 1",
            new { action, document }) is not null;
    }

    /// <summary>Newest first.</summary>
    internal static IEnumerable<AuditRow> Newest(SqliteConnection connection, long limit) =>
        connection.Query<AuditLogRow>(
            Columns +
            """
            FROM audit a JOIN change c ON c.id = a.change_id
            ORDER BY a.sequence DESC LIMIT @limit
            """,
            new { limit }, buffered: false).Select(ToRow);

    /// <summary>Newest first.</summary>
    internal static IEnumerable<AuditRow> NewestOf(SqliteConnection connection, string key, long limit) =>
        connection.Query<AuditLogRow>(
            Columns +
            """
            FROM audit a JOIN change c ON c.id = a.change_id
            WHERE a.key = @key
            ORDER BY a.sequence DESC LIMIT @limit
            """,
            new { key, limit }, buffered: false).Select(ToRow);

    /// <summary>Oldest first, from behind a row.</summary>
    internal static IEnumerable<AuditRow> After(SqliteConnection connection, long sequence) =>
        connection.Query<AuditLogRow>(
            Columns +
            """
            FROM audit a LEFT JOIN change c ON c.id = a.change_id
            WHERE a.sequence > @sequence
            ORDER BY a.sequence
            """,
            new { sequence }, buffered: false).Select(ToRow);

    /// <summary>Oldest first.</summary>
    internal static IEnumerable<AuditRow> OfChange(SqliteConnection connection, long changeId) =>
        connection.Query<AuditLogRow>(
            Columns +
            """
            FROM audit a JOIN change c ON c.id = a.change_id
            WHERE a.change_id = @changeId
            ORDER BY a.sequence
            """,
            new { changeId }).ToList().Select(ToRow);

    private static AuditRow ToRow(AuditLogRow row) => new()
    {
        Sequence = row.Sequence,
        ChangeId = row.ChangeId,
        Time = DateTimeOffset.FromUnixTimeSeconds(row.Time ?? 0),
        Actor = new Actor(row.Actor ?? "", row.LoginUser, row.SudoUser),
        Command = row.Command ?? "",
        Reason = row.Reason,
        Action = row.Action,
        Key = row.Key,
        Before = row.Before,
        After = row.After,
        AnswerBefore = row.AnswerBefore,
        AnswerAfter = row.AnswerAfter,
        Evidence = row.Evidence,
        PreviousHash = row.PreviousHash,
        Hash = row.Hash,
    };
}
