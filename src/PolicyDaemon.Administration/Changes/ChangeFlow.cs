using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
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

    /// <summary>What many keys have in common is said of each of them all the same.</summary>
    public bool SaysEach { get; init; }

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
    /// <summary>The most keys of a change whose warnings are told one by one; of more a person is told how many there are and what they have in common.</summary>
    public const int ManyKeys = 12;

    // Keys that a store on a server is asked for at once.
    private const int AskedAtOnce = 1000;

    // Of more keys one thread judges the next while another writes those before.
    private const int AheadAbove = 10_000;

    private readonly PostfixSettings postfix = settings.Postfix;

    /// <param name="request">Who asks, and how.</param>
    /// <param name="plan">What is wanted, given the store as it is within the write transaction; enumerated once, and of each key it sees the
    /// store as it was before.</param>
    /// <exception cref="RefusedException">Something of it is refused; nothing was changed.</exception>
    /// <exception cref="StoreException">The store cannot be used; nothing was changed.</exception>
    public ChangeResult Run(ChangeRequest request, Func<StoreView, IReadOnlyCollection<PlannedChange>> plan)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(plan);
        using var store = PolicyStore.Open(settings.Database, request.DryRun ? StoreAccess.Read : StoreAccess.Write, time);
        if (request.IsBulk)
            store.PrepareForBulk();
        using var change = request.DryRun ? null : store.BeginChange(new ChangeOrigin(request.Actor, request.Command, request.Reason), postfix);
        using var view = new StoreView(
            store, change, () => store.JudgeAhead(new ChangeOrigin(request.Actor, request.Command, request.Reason), postfix), postfix, time.GetUtcNow());
        var planned = plan(view);
        var warnings = new ChangeWarnings(view, settings, planned, !request.SaysEach && (request.IsBulk || planned.Count > 1));
        using var discovered = new DiscoveredBefore(settings, time, view.Now);
        var refusals = new ChangeRefusals(request);
        var keys = new ChangedKeys();
        var written = 0;
        if (change is not null && planned.Count > AheadAbove)
        {
            using var judge = change.JudgeAhead();
            view.Use(judge);
            foreach (var key in Ahead.Of(Judged()))
                Write(key);
        }
        else if (change is null && planned.Count > AheadAbove)
        {
            using var judge = store.JudgeAhead(new ChangeOrigin(request.Actor, request.Command, request.Reason), postfix);
            view.Use(judge);
            foreach (var key in Judged())
                Write(key);
        }
        else
        {
            foreach (var key in Judged())
                Write(key);
        }

        refusals.Throw();
        var receipt = change?.Commit();
        if (receipt is { ChangeId: not 0 })
            journal.Note(receipt.ChangeId, request.Actor, receipt.Head.Hash, request.Command);
        return new ChangeResult(keys, warnings.All, receipt);

        // Key by key, so that a million are never in memory at once; what is refused at the last one takes back all that was written.
        IEnumerable<(JudgedPlan Key, bool IsRefused)> Judged()
        {
            foreach (var wanted in Expected())
            {
                var key = discovered.Of(wanted, view.Judge(wanted.Key, wanted.After, wanted.AcceptsUnsigned));
                refusals.Add(key);
                keys.Add(key.Changed(postfix));
                // Before it is written: what is warned of is what this change meets.
                warnings.Add(key);
                yield return (key, !refusals.IsEmpty);
            }
        }

        // A plan that is made as it is read asks for what comes next by itself.
        IEnumerable<PlannedChange> Expected() => planned is not IReadOnlyList<PlannedChange> { Count: > 1 } list
            ? planned
            : list.Chunk(AskedAtOnce).SelectMany(some =>
            {
                view.Expect([.. some.Select(one => one.Key)]);
                return some;
            });

        void Write((JudgedPlan Key, bool IsRefused) next)
        {
            if (change is not null && !next.IsRefused)
                change.Write(next.Key.Judged, next.Key.Planned.Evidence);
            request.Progress?.Report((++written, planned.Count));
        }
    }
}
