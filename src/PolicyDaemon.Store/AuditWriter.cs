using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Audit;

namespace PolicyDaemon.Store;

/// <summary>Appends the rows of one change to the audit log, inside the caller's transaction.</summary>
internal sealed class AuditWriter(SqliteConnection connection, string storeId, ChangeOrigin origin, DateTimeOffset time) : IDisposable
{
    private readonly Statement insert = new(
        connection,
        """
        INSERT INTO audit (sequence, change_id, action, key, before, after, answer_before, answer_after, evidence, previous_hash, hash)
        VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        11);

    private long changeId;

    internal AuditHead Head { get; private set; } = AuditLog.Head(connection);

    /// <summary>0 until the first row.</summary>
    internal long ChangeId => changeId;

    internal long Rows { get; private set; }

    internal void Append(
        AuditAction action, string? key, string? before, string? after, string? answerBefore, string? answerAfter, string? evidence)
    {
        if (changeId == 0)
            changeId = InsertChange();
        var row = new AuditRow
        {
            Sequence = Head.Sequence + 1,
            ChangeId = changeId,
            Time = time,
            Actor = origin.Actor,
            Command = origin.Command,
            Reason = origin.Reason,
            Action = action.Name(),
            Key = key,
            Before = before,
            After = after,
            AnswerBefore = answerBefore,
            AnswerAfter = answerAfter,
            Evidence = evidence,
            PreviousHash = Head.Hash,
            Hash = "",
        };
        var hash = AuditChain.Hash(storeId, row);
        insert.Execute(
            row.Sequence, row.ChangeId, row.Action, row.Key, row.Before, row.After, row.AnswerBefore, row.AnswerAfter, row.Evidence,
            row.PreviousHash, hash);
        Head = new AuditHead(row.Sequence, hash);
        Rows++;
    }

    public void Dispose() => insert.Dispose();

    private long InsertChange()
    {
        using var next = new Statement(connection, "SELECT coalesce(max(id), 0) + 1 FROM change", 0);
        var id = (long)next.Scalar()!;
        using var statement = new Statement(
            connection,
            "INSERT INTO change (id, time, actor, login_user, sudo_user, command, reason) VALUES ($0, $1, $2, $3, $4, $5, $6)",
            7);
        statement.Execute(
            id, time.ToUnixTimeSeconds(), origin.Actor.Effective, origin.Actor.Login, origin.Actor.SudoUser, origin.Command, origin.Reason);
        return id;
    }
}
