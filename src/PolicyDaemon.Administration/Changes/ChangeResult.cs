using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Changes;

namespace PolicyDaemon.Administration.Changes;

/// <summary>The changes that a request made, or with a dry run would make.</summary>
/// <param name="Keys">Every key concerned, in the order of the plan.</param>
/// <param name="Warnings">What is legal in it and still deserves a thought.</param>
/// <param name="Receipt">What was committed; null for a dry run.</param>
public sealed record ChangeResult(IReadOnlyCollection<ChangedKey> Keys, IReadOnlyList<ChangeWarning> Warnings, ChangeReceipt? Receipt)
{
    /// <summary>The change's number, which an undo takes; null where nothing was written.</summary>
    public long? ChangeId => Receipt is { ChangeId: not 0 } ? Receipt.ChangeId : null;

    /// <summary>It is about the store itself, and no undo takes it back.</summary>
    public bool IsForGood { get; init; }

    /// <summary>Something in it weakens what is enforced now, and takes a reason.</summary>
    public bool Weakens => Keys.Any(key => key.Weakens.Count > 0);
}

/// <summary>One key of a change.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Action">What becomes of the entry; null where it stays as it is.</param>
/// <param name="Before">What Postfix is told now; null where the key is not configured.</param>
/// <param name="After">What Postfix will be told; null where the key will not be configured.</param>
/// <param name="Weakens">What of it weakens.</param>
public sealed record ChangedKey(string Key, AuditAction? Action, LookupAnswer? Before, LookupAnswer? After, IReadOnlyList<string> Weakens)
{
    /// <summary>False where the entry stays as it is.</summary>
    public bool IsChanged => Action is not null;

    /// <summary>The action as it is shown: <c>add</c>, <c>change</c>, <c>remove</c> or <c>none</c>.</summary>
    public string ActionName => Action?.Name() ?? "none";

    /// <summary>True where the entry was written and is only observed, so that Postfix is told nothing of it.</summary>
    public bool IsOnlyObserved { get; init; }

    /// <summary>True where an entry that is only observed could not be served if it were enforced, such as one whose pins are in another digest.</summary>
    public bool CannotBeEnforced { get; init; }

    /// <summary>The end of the entry, where it ends by itself, and what Postfix is told then; null where it does not.</summary>
    public EntryEnd? End { get; init; }
}

/// <summary>A warning about one key of a change, or about several that have it in common.</summary>
/// <param name="Name">The key, with its place in a file, or a few of them.</param>
/// <param name="Text">A sentence.</param>
/// <param name="Others">So many keys more have the same; in bulk work they are not named.</param>
public sealed record ChangeWarning(string Name, string Text, int Others = 0);
