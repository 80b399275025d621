using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Store.Auditing;

/// <summary>Appends the rows of one change to the audit log, inside the caller's transaction, which ends with <see cref="Complete"/>.</summary>
/// <param name="queue">Takes the rows; null where each is written at once.</param>
internal sealed class AuditWriter(
    DbConnection connection, string storeId, Actor actor, string command, string? reason, DateTimeOffset time, RowQueue? queue = null)
{
    private static readonly string[] QueuedColumns =
        ["sequence", "change_id", "action", "key", "before", "after", "answer_before", "answer_after", "evidence", "previous_hash", "hash"];

    private AuditHead? head;

    internal AuditHead Head => head ??= AuditLog.Head(connection);

    /// <summary>The number of the change that the rows belong to; 0 until the first row.</summary>
    internal long ChangeId { get; private set; }

    internal long Rows { get; private set; }

    /// <summary>The number of the last row before those of this change.</summary>
    internal long SequenceBefore => Head.Sequence - Rows;

    internal void Append(
        AuditAction action, string? key, string? before, string? after, string? answerBefore, string? answerAfter, string? evidence)
    {
        if (ChangeId == 0)
            ChangeId = InsertChange();
        var row = new AuditRow
        {
            Sequence = Head.Sequence + 1,
            ChangeId = ChangeId,
            Time = time,
            Actor = actor,
            Command = command,
            Reason = reason,
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
        Insert(row, hash);
        head = new AuditHead(row.Sequence, hash);
        Rows++;
    }

    private void Insert(AuditRow row, string hash)
    {
        if (queue is not null)
        {
            queue.Add(
                "audit", QueuedColumns,
                [
                    row.Sequence, row.ChangeId, row.Action, row.Key, row.Before, row.After, row.AnswerBefore, row.AnswerAfter, row.Evidence, row.PreviousHash,
                    hash,
                ]);
            return;
        }

        connection.Execute(
            """
            INSERT INTO audit (sequence, change_id, action, key, before, after, answer_before, answer_after, evidence, previous_hash, hash)
            VALUES (@Sequence, @ChangeId, @Action, @Key, @Before, @After, @AnswerBefore, @AnswerAfter, @Evidence, @PreviousHash, @hash)
            """,
            new
            {
                row.Sequence, row.ChangeId, row.Action, row.Key, row.Before, row.After, row.AnswerBefore, row.AnswerAfter, row.Evidence,
                row.PreviousHash, hash,
            });
    }

    /// <summary>Records the end of the log, once for all rows of the change.</summary>
    internal void Complete()
    {
        if (Rows > 0)
            connection.Execute("UPDATE audit_head SET sequence = @Sequence, hash = @Hash WHERE id = 1", new { Head.Sequence, Head.Hash });
    }

    private long InsertChange()
    {
        var id = connection.ExecuteScalar<long>("SELECT coalesce(max(id), 0) + 1 FROM change");
        connection.Execute(
            """
            INSERT INTO change (id, time, actor, login_user, sudo_user, command, reason)
            VALUES (@id, @seconds, @Effective, @Login, @SudoUser, @command, @reason)
            """,
            new { id, seconds = time.Seconds(), actor.Effective, actor.Login, actor.SudoUser, command, reason });
        return id;
    }
}
