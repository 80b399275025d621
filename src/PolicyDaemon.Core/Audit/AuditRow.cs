namespace PolicyDaemon.Core.Audit;

/// <summary>One row of the audit log: who did what to one key, when, why, on what evidence, and what it did to the answer.</summary>
public sealed record AuditRow
{
    /// <summary>1, 2, 3... without a gap.</summary>
    public required long Sequence { get; init; }

    /// <summary>The change (one command) that the row belongs to; <c>undo</c> takes a change back.</summary>
    public required long ChangeId { get; init; }

    /// <summary>UTC, whole seconds.</summary>
    public required DateTimeOffset Time { get; init; }

    public required Actor Actor { get; init; }

    /// <summary>The command as given, such as <c>domain add example.com --level secure</c>.</summary>
    public required string Command { get; init; }

    public string? Reason { get; init; }

    /// <summary>The action's stored name, see <see cref="AuditActions"/>; text, so that a row of a later version can still be verified.</summary>
    public required string Action { get; init; }

    /// <summary>The canonical key; null where the row is about the store itself.</summary>
    public string? Key { get; init; }

    /// <summary>The destination before, as canonical JSON; null where there was none.</summary>
    public string? Before { get; init; }

    /// <summary>The destination after, as canonical JSON; null where it was removed.</summary>
    public string? After { get; init; }

    /// <summary>What Postfix was told before.</summary>
    public string? AnswerBefore { get; init; }

    /// <summary>What Postfix is told after.</summary>
    public string? AnswerAfter { get; init; }

    /// <summary>What an automatic decision rests on (JSON), or what a store was accepted in place of.</summary>
    public string? Evidence { get; init; }

    /// <summary>The hash of the row before; empty in the first.</summary>
    public required string PreviousHash { get; init; }

    /// <summary>This row's hash by <see cref="AuditChain"/>.</summary>
    public required string Hash { get; init; }
}
