using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Changes;

/// <summary>Who asks for a change, and how.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Command">What was asked for, for the audit log: a command line.</param>
/// <param name="Reason">Why; null where nobody said.</param>
/// <param name="DryRun">Everything is judged and nothing is written.</param>
public sealed record ChangeRequest(Actor Actor, string Command, string? Reason, bool DryRun)
{
    /// <summary>Many keys at once: the store prepares for them.</summary>
    public bool IsBulk { get; init; }

    /// <summary>Told after each key how many are written and how many there are.</summary>
    public IProgress<(int Done, int All)>? Progress { get; init; }
}

/// <summary>Notes a committed change where the store's writer cannot rewrite it: the other half of verifying the audit log against a hash.</summary>
public interface IChangeJournal
{
    /// <summary>Never fails: the change is committed already, and the daemon notes the head hash too.</summary>
    void Note(long change, Actor actor, string headHash, string summary);
}

/// <summary>The way of every change: plan, refuse what cannot be served or weakens without a reason, write, note.</summary>
public sealed class ChangeFlow(Settings settings, TimeProvider time, IChangeJournal journal)
{
    private readonly PostfixSettings postfix = settings.Postfix;

    /// <param name="request">Who asks, and how.</param>
    /// <param name="plan">What is wanted, given the store as it is within the write transaction.</param>
    /// <exception cref="RefusedException">Something of it is refused; nothing was changed.</exception>
    /// <exception cref="StoreException">The store cannot be used; nothing was changed.</exception>
    public ChangeResult Run(ChangeRequest request, Func<StoreView, IReadOnlyList<PlannedChange>> plan)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(plan);
        using var store = PolicyStore.Open(settings.Database, request.DryRun ? StoreAccess.Read : StoreAccess.Write, time);
        if (request.DryRun)
        {
            var view = new StoreView(store, null, postfix);
            return Result(Judge(view, plan, request), view, null);
        }

        if (request.IsBulk)
            store.PrepareForBulk();
        using var change = store.BeginChange(new ChangeOrigin(request.Actor, request.Command, request.Reason), postfix);
        var within = new StoreView(store, change, postfix);
        var keys = Judge(within, plan, request);
        // Before the commit: what is warned of is what this change meets.
        var result = Result(keys, within, null);
        for (var done = 0; done < keys.Count; done++)
        {
            change.Write(keys[done].Judged, keys[done].Planned.Evidence);
            request.Progress?.Report((done + 1, keys.Count));
        }

        var receipt = change.Commit();
        if (receipt.ChangeId != 0)
            journal.Note(receipt.ChangeId, request.Actor, receipt.Head.Hash, request.Command);
        return result with { Receipt = receipt };
    }

    private static List<JudgedPlan> Judge(StoreView view, Func<StoreView, IReadOnlyList<PlannedChange>> plan, ChangeRequest request)
    {
        // The store refuses all this one key after the other; a person is told of every key at once.
        var keys = plan(view).Select(planned => new JudgedPlan(planned, view.Judge(planned.Key, planned.After))).ToList();
        RefuseUnservable(keys);
        var weakening = keys.Where(key => key.Weakens.Count > 0).ToList();
        return request.Reason is not null || weakening.Count == 0 || request.DryRun ? keys : throw NeedsReason(weakening);
    }

    private ChangeResult Result(List<JudgedPlan> keys, StoreView view, ChangeReceipt? receipt)
    {
        var present = keys.Where(key => key.Planned.After is not null).Select(key => key.Planned.Key).ToHashSet();
        return new ChangeResult(
            [.. keys.Select(key => key.Changed)], [.. keys.SelectMany(key => ChangeWarnings.Of(key, view.Store, postfix, present))], receipt);
    }

    private static void RefuseUnservable(List<JudgedPlan> keys)
    {
        // What stays as it is may be unservable already, and that is no fault of this change.
        var refused = keys.Where(key => key.Judged.Action is not null && key.Judged.Problems.Count > 0).ToList();
        if (refused.Count == 0)
            return;
        var details = refused.SelectMany(key => key.Judged.Problems.Select(problem => $"{key.Planned.Name}: {problem}")).ToList();
        throw new RefusedException(
            Refusal.NotServable,
            refused.Count == 1
                ? $"{refused[0].Planned.Key} cannot be served like this; nothing was changed"
                : $"{refused.Count} entries cannot be served like this; nothing was changed",
            details);
    }

    private static RefusedException NeedsReason(List<JudgedPlan> keys) => new(
        Refusal.NeedsReason,
        "this weakens what is enforced now, so it needs --reason \"why\"; nothing was changed",
        [.. keys.SelectMany(key => key.Weakens.Select(weakening => $"{key.Planned.Name}: {weakening}"))]);
}
