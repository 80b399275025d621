using System.Data.Common;
using System.Text.Json;
using Dapper;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Auditing;

/// <summary>Reads the audit log. Rows whose number is below 1 do not belong to the log: the programs never write such a number.</summary>
internal static class AuditLog
{
    // Of an entry that changes more often nobody asks how old its level is.
    private const int RowsRead = 1000;

    private const string Columns =
        """
        SELECT a.sequence, a.change_id, c.time, c.actor, c.login_user, c.sudo_user, c.command, c.reason, a.action, a.key, a.before, a.after,
               a.answer_before, a.answer_after, a.evidence, a.previous_hash, a.hash

        """;

    /// <summary>The end of the log, as the writers have recorded it.</summary>
    internal static AuditHead Head(DbConnection connection) =>
        connection.QueryFirstOrDefault<HeadRow>("SELECT sequence, hash FROM audit_head WHERE id = 1") is { } row
            ? new AuditHead(row.Sequence, row.Hash)
            : AuditHead.Empty;

    internal static string? HashAt(DbConnection connection, long sequence) =>
        connection.QueryFirstOrDefault<string>("SELECT hash FROM audit WHERE sequence = @sequence", new { sequence });

    /// <summary>True where the store's log continues the one whose end was loaded before.</summary>
    internal static bool Continues(DbConnection connection, SnapshotIdentity loaded, string storeId) =>
        loaded.StoreId == storeId && (loaded.Sequence == 0 || HashAt(connection, loaded.Sequence) == loaded.Hash);

    /// <summary>True where a row accepts this store in place of the one that was last loaded.</summary>
    internal static bool Accepts(DbConnection connection, SnapshotIdentity lastLoaded)
    {
        // Typed, not var: Dapper's generator does not see the serializer's generated code, and would leave the call below to run time.
        string document = Accepting(lastLoaded);
        var action = AuditAction.Accept.Name();
        return connection.ExecuteScalar<long?>(
            "SELECT sequence FROM audit WHERE action = @action AND evidence = @document LIMIT 1", new { action, document }) is not null;
    }

    /// <summary>True where a row gives up what others had behind a row that both logs have. What was accepted before that row was about another fork.</summary>
    internal static bool AcceptsAfter(DbConnection connection, string storeId, long forkPoint)
    {
        var action = AuditAction.Accept.Name();
        return connection.Query<EvidenceRow>(
            "SELECT evidence FROM audit WHERE action = @action AND sequence > @forkPoint AND evidence IS NOT NULL", new { action, forkPoint }).ToList().Any(row => IsAfter(row.Evidence));

        bool IsAfter(string evidence)
        {
            try
            {
                return JsonSerializer.Deserialize(evidence, StoreJson.Default.AcceptedStoreDocument) is { After: true } accepted
                    && accepted.StoreId == storeId && accepted.Sequence <= forkPoint;
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }

    /// <summary>The evidence of a row that gives up what others had behind a row of this log.</summary>
    internal static string AcceptingAfter(string storeId, AuditHead row) =>
        JsonSerializer.Serialize(new AcceptedStoreDocument(storeId, row.Sequence, row.Hash, After: true), StoreJson.Default.AcceptedStoreDocument);

    /// <summary>The evidence of a row that accepts a store in place of what was last loaded, or says with which end of its log it came here.</summary>
    internal static string Accepting(SnapshotIdentity lastLoaded) => JsonSerializer.Serialize(
        new AcceptedStoreDocument(lastLoaded.StoreId, lastLoaded.Sequence, lastLoaded.Hash), StoreJson.Default.AcceptedStoreDocument);

    /// <summary>Newest first.</summary>
    internal static IEnumerable<AuditRow> Newest(DbConnection connection, long limit) => connection.Query<Row>(
        Columns +
        """
        FROM audit a JOIN change c ON c.id = a.change_id
        WHERE a.sequence > 0
        ORDER BY a.sequence DESC LIMIT @limit
        """,
        new { limit }, buffered: false).Select(row => row.ToAuditRow());

    /// <summary>Since when an entry has been at its level; null where the log does not say.</summary>
    internal static DateTimeOffset? LevelSince(DbConnection connection, string key, TlsLevel level)
    {
        DateTimeOffset? since = null;
        foreach (var row in NewestOf(connection, key, RowsRead).ToList())
        {
            if (!Says(row.After))
                return since;
            since = row.Time;
            if (!Says(row.Before))
                return since;
        }

        return since;

        bool Says(string? document)
        {
            try
            {
                return document is not null && DestinationDocument.FromJson(document).Policy.Level == level;
            }
            catch (Exception error) when (error is FormatException or JsonException or InvalidOperationException)
            {
                return false;
            }
        }
    }

    /// <summary>Newest first.</summary>
    internal static IEnumerable<AuditRow> NewestOf(DbConnection connection, string key, long limit) => connection.Query<Row>(
        Columns +
        """
        FROM audit a JOIN change c ON c.id = a.change_id
        WHERE a.key = @key AND a.sequence > 0
        ORDER BY a.sequence DESC LIMIT @limit
        """,
        new { key, limit }, buffered: false).Select(row => row.ToAuditRow());

    /// <summary>Newest first.</summary>
    /// <param name="key">One key's rows only; null for all.</param>
    internal static List<AuditRow> Before(DbConnection connection, long sequence, string? key, int most)
    {
        var rows = key is null
            ? connection.Query<Row>(
                Columns +
                """
                FROM audit a JOIN change c ON c.id = a.change_id
                WHERE a.sequence > 0 AND a.sequence < @sequence
                ORDER BY a.sequence DESC LIMIT @most
                """,
                new { sequence, most = (long)most }).ToList()
            : connection.Query<Row>(
                Columns +
                """
                FROM audit a JOIN change c ON c.id = a.change_id
                WHERE a.key = @key AND a.sequence > 0 AND a.sequence < @sequence
                ORDER BY a.sequence DESC LIMIT @most
                """,
                new { sequence, key, most = (long)most }).ToList();
        return [.. rows.Select(row => row.ToAuditRow())];
    }

    /// <summary>The rows behind a row, oldest first; a row whose change is missing is among them.</summary>
    internal static IEnumerable<AuditRow> After(DbConnection connection, long sequence) => connection.Query<Row>(
        Columns +
        """
        FROM audit a LEFT JOIN change c ON c.id = a.change_id
        WHERE a.sequence > @sequence
        ORDER BY a.sequence
        """,
        new { sequence }, buffered: false).Select(row => row.ToAuditRow());

    /// <summary>The entry of a key as it was at a row of the log: what the first later row about the key has as its state before.</summary>
    /// <returns>Null where there is no such row.</returns>
    internal static FormerRow? FirstAfter(DbConnection connection, long sequence, string key) => connection.QueryFirstOrDefault<FormerRow>(
        "SELECT before FROM audit WHERE key = @key AND sequence > @sequence ORDER BY sequence LIMIT 1", new { key, sequence });

    /// <summary>Oldest first.</summary>
    internal static IEnumerable<AuditRow> OfChange(DbConnection connection, long changeId) => connection.Query<Row>(
        Columns +
        """
        FROM audit a JOIN change c ON c.id = a.change_id
        WHERE a.change_id = @changeId AND a.sequence > 0
        ORDER BY a.sequence
        """,
        new { changeId }).ToList().Select(row => row.ToAuditRow());

    internal sealed record EvidenceRow(string Evidence);

    internal sealed record HeadRow(long Sequence, string Hash);

    /// <param name="Before">The destination as JSON; null where there was none.</param>
    internal sealed record FormerRow(string? Before);

    /// <summary>A row of the audit log beside the change that it belongs to.</summary>
    internal sealed record Row(
        long Sequence, long ChangeId, long? Time, string? Actor, string? LoginUser, string? SudoUser, string? Command, string? Reason,
        string Action, string? Key, string? Before, string? After, string? AnswerBefore, string? AnswerAfter, string? Evidence,
        string PreviousHash, string Hash)
    {
        internal AuditRow ToAuditRow() => new()
        {
            Sequence = Sequence,
            ChangeId = ChangeId,
            Time = (Time ?? 0).Time(),
            Actor = new Actor(Actor ?? "", LoginUser, SudoUser),
            Command = Command ?? "",
            Reason = Reason,
            Action = Action,
            Key = Key,
            Before = Before,
            After = After,
            AnswerBefore = AnswerBefore,
            AnswerAfter = AnswerAfter,
            Evidence = Evidence,
            PreviousHash = PreviousHash,
            Hash = Hash,
        };
    }
}
