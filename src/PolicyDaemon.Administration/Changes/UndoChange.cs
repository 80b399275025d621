using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Administration.Changes;

/// <summary>Takes one change back, where nothing touched its keys since. A rejected pin stays rejected.</summary>
public static class UndoChange
{
    /// <param name="view">The store as it is.</param>
    /// <param name="changeId">The change.</param>
    /// <param name="progress">Told after each key how many are planned and how many there are.</param>
    /// <exception cref="RefusedException">There is no such change, or its keys were changed since.</exception>
    public static IReadOnlyList<PlannedChange> Plan(StoreView view, long changeId, IProgress<(int Done, int All)>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(view);
        var plan = view.PlanUndo(changeId, progress);
        if (!plan.IsPossible)
            throw new RefusedException(
                Refusal.NotUndoable, FormattableString.Invariant($"change {changeId} cannot be taken back; nothing was changed"), plan.Obstacles);
        var isProbers = view.Store.Change(changeId).Any(row => row.Actor.Effective == Actor.Prober.Effective);
        return
        [
            .. plan.Steps.Select(step => new PlannedChange(step.Key, step.Now, step.BackTo)
            {
                Warnings =
                [
                    .. step.StillRejected.Select(pin => $"the pin {pin} was rejected since and stays rejected"),
                    .. isProbers ? (string[])[Repeats(step.Key)] : [],
                ],
            }),
        ];
    }

    private static string Repeats(NextHop key)
    {
        var quoted = Shell.Quote(key.Text);
        return $"the prober made this change and makes it again on the same evidence; to keep a key out: policyctl pin reject {quoted} FINGERPRINT, "
            + $"to decide everything yourself: policyctl domain set {quoted} --mode locked";
    }
}
