using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;

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
            var view = new StoreView(store, null);
            return Result(Judge(view, plan, request), view, null);
        }

        if (request.IsBulk)
            store.PrepareForBulk();
        using var change = store.BeginChange(new ChangeOrigin(request.Actor, request.Command, request.Reason));
        var within = new StoreView(store, change);
        var keys = Judge(within, plan, request);
        // Before the commit: what is warned of is what this change meets.
        var result = Result(keys, within, null);
        for (var done = 0; done < keys.Count; done++)
        {
            Put(change, keys[done]);
            request.Progress?.Report((done + 1, keys.Count));
        }

        var receipt = change.Commit();
        if (receipt.ChangeId != 0)
            journal.Note(receipt.ChangeId, request.Actor, receipt.Head.Hash, request.Command);
        return result with { Receipt = receipt };
    }

    private List<JudgedChange> Judge(StoreView view, Func<StoreView, IReadOnlyList<PlannedChange>> plan, ChangeRequest request)
    {
        var keys = plan(view).Select(planned => Judge(view, planned)).ToList();
        RefuseUnservable(keys);
        var weakening = keys.Where(key => key.Changed.Weakens.Count > 0).ToList();
        return request.Reason is not null || weakening.Count == 0 || request.DryRun ? keys : throw NeedsReason(weakening);
    }

    private JudgedChange Judge(StoreView view, PlannedChange planned) => new(
        planned,
        new ChangedKey(
            planned.Key.Text, planned.Action, Answer(planned.Before), Answer(planned.After),
            planned.Action == "none" ? [] : [.. planned.Weakens, .. Weakening.Of(planned.Before, planned.After, postfix, view.Find)])
        {
            IsOnlyObserved = planned is { After.Observe: true, Action: not "none" },
        },
        planned.After is null ? [] : PolicyRules.Problems(planned.Before, planned.After, postfix));

    private ChangeResult Result(List<JudgedChange> keys, StoreView view, ChangeReceipt? receipt)
    {
        var present = keys.Where(key => key.Planned.After is not null).Select(key => key.Planned.Key).ToHashSet();
        return new ChangeResult(
            [.. keys.Select(key => key.Changed)], [.. keys.SelectMany(key => ChangeWarnings.Of(key.Planned, view.Store, postfix, present))], receipt);
    }

    private LookupAnswer? Answer(Destination? destination) =>
        destination is null ? null : PolicyText.Answer(destination, postfix, MapName.TlsPolicy);

    private void Put(StoreChange change, JudgedChange key)
    {
        if (key.Planned.After is null)
            change.Remove(key.Planned.Key, key.Changed.Before?.ToDisplayString());
        else
            change.Put(key.Planned.After, key.Changed.Before?.ToDisplayString(), key.Changed.After?.ToDisplayString(), key.Planned.Evidence);
    }

    private static void RefuseUnservable(List<JudgedChange> keys)
    {
        var refused = keys.Where(key => key.Problems.Count > 0).ToList();
        if (refused.Count == 0)
            return;
        var details = refused.SelectMany(key => key.Problems.Select(problem => $"{key.Planned.Name}: {problem}")).ToList();
        throw new RefusedException(
            Refusal.NotServable,
            refused.Count == 1
                ? $"{refused[0].Planned.Key} cannot be served like this; nothing was changed"
                : $"{refused.Count} entries cannot be served like this; nothing was changed",
            details);
    }

    private static RefusedException NeedsReason(List<JudgedChange> keys) => new(
        Refusal.NeedsReason,
        "this weakens what is enforced now, so it needs --reason \"why\"; nothing was changed",
        [.. keys.SelectMany(key => key.Changed.Weakens.Select(weakening => $"{key.Planned.Name}: {weakening}"))]);
}
