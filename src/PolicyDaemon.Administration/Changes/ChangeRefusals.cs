namespace PolicyDaemon.Administration.Changes;

/// <summary>Why a change is refused. The store refuses one key after the other; a person is told of every key at once.</summary>
internal sealed class ChangeRefusals(ChangeRequest request)
{
    private readonly List<string> unservable = [];
    private readonly List<string> weakens = [];
    private string? firstUnservable;
    private int unservableKeys;
    private bool isSuspected;

    internal bool IsEmpty => unservable.Count == 0 && weakens.Count == 0;

    internal void Add(JudgedPlan key)
    {
        // What stays as it is may be unservable already, and that is no fault of this change.
        if (key.Judged.Action is not null && key.Judged.Problems.Count > 0)
        {
            firstUnservable ??= key.Planned.Key.Text;
            unservableKeys++;
            unservable.AddRange(key.Judged.Problems.Select(problem => PlannedChange.About(key.Planned.Name, problem.ToString())));
        }

        if (request is { Reason: null, DryRun: false })
        {
            weakens.AddRange(key.Weakens.Select(weakening => PlannedChange.About(key.Planned.Name, weakening)));
            isSuspected |= key.Judged.IsSuspected;
        }
    }

    /// <exception cref="RefusedException">Something was refused.</exception>
    internal void Throw()
    {
        // Before anything else: who is told only that an entry needs another pin looks for one, and the attacker's lies at hand.
        if (isSuspected)
            throw new RefusedException(Refusal.NeedsReason, "an attack is not excluded, so this needs --reason \"why\"; nothing was changed", [.. weakens, .. unservable]);
        if (unservableKeys > 0)
        {
            throw new RefusedException(
                Refusal.NotServable,
                unservableKeys == 1
                    ? $"{firstUnservable} cannot be served like this; nothing was changed"
                    : $"{unservableKeys} entries cannot be served like this; nothing was changed",
                unservable);
        }

        if (weakens.Count > 0)
            throw new RefusedException(Refusal.NeedsReason, "this weakens what is enforced now, so it needs --reason \"why\"; nothing was changed", weakens);
    }
}
