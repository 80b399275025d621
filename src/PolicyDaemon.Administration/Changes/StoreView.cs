using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;

namespace PolicyDaemon.Administration.Changes;

/// <summary>The store as a plan sees it: within the write transaction, or read only for a dry run.</summary>
public sealed class StoreView : IDisposable
{
    private readonly StoreChange? change;
    private readonly Func<JudgeAhead> judges;
    private JudgeAhead? own;
    private JudgeAhead? ahead;
    private readonly PostfixSettings postfix;

    /// <param name="judges">Opens the store once more, to judge many keys that are not to be written.</param>
    internal StoreView(PolicyStore store, StoreChange? change, Func<JudgeAhead> judges, PostfixSettings postfix, DateTimeOffset now)
    {
        this.judges = judges;
        Store = store;
        Now = now;
        this.change = change;
        this.postfix = postfix;
    }

    public PolicyStore Store { get; }

    /// <summary>When the change is made, UTC.</summary>
    public DateTimeOffset Now { get; }

    public Destination? Find(NextHop key) => ahead is not null ? ahead.Find(key) : change is null ? Store.Find(key) : change.Find(key);

    /// <summary>Other keys with the same bare host, as they were before the change.</summary>
    public IReadOnlyList<Destination> OtherForms(NextHop key) =>
        ahead is not null ? ahead.OtherForms(key) : change is null ? Store.OtherForms(key) : change.OtherForms(key);

    /// <summary>The destination, which must be there.</summary>
    /// <exception cref="RefusedException">It is not; the message names other forms of the key.</exception>
    public Destination Get(NextHop key) => Find(key) ?? throw Missing(Store, key);

    /// <summary>What a change of one key would mean; null for <paramref name="after"/> removes it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="after">The destination as it would be.</param>
    /// <param name="acceptsUnsigned">A person says that its zone is not signed any more on purpose.</param>
    public JudgedChange Judge(NextHop key, Destination? after, bool acceptsUnsigned = false) =>
        ahead is not null ? ahead.Judge(key, after, acceptsUnsigned)
        : change is null ? Store.Judge(key, after, postfix, acceptsUnsigned) : change.Judge(key, after, acceptsUnsigned);

    /// <summary>Says which keys are asked for next, so that a store on a server is asked once for all of them.</summary>
    public void Expect(IReadOnlyCollection<NextHop> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (ahead is null && change is null && keys.Count > 1)
            ahead = own = judges();
        if (ahead is not null)
            ahead.Expect(keys);
        else
            change?.Expect(keys);
    }

    public void Dispose() => own?.Dispose();

    public UndoPlan PlanUndo(long changeId, IProgress<(int Done, int All)>? progress = null) =>
        change is null ? Store.PlanUndo(changeId, progress) : change.PlanUndo(changeId, progress);

    /// <summary>From now on keys are read and judged on a connection of their own, by one thread, while another one writes.</summary>
    internal void Use(JudgeAhead judge) => ahead = judge;

    /// <summary>The refusal of a key that is not configured.</summary>
    /// <param name="store">The store that lacks it.</param>
    /// <param name="key">The key.</param>
    /// <param name="isWanted">An entry of this key would help; whoever removes one wants none.</param>
    public static RefusedException Missing(PolicyStore store, NextHop key, bool isWanted = true)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (key.IsDefault)
            return new RefusedException(Refusal.NotConfigured, "* is not configured, the entry for every domain that nothing else answers for; all entries are '**'");
        var others = store.OtherForms(key);
        return new RefusedException(
            Refusal.NotConfigured,
            $"{key} is not configured" + (others.Count > 0 ? $"; {string.Join(", ", others.Select(other => other.Key))} is, which is another key to Postfix" : $"; {(isWanted ? $"policyctl domain add {Shell.Quote(key.Text)} --level LEVEL adds it, " : "")}policyctl domain list shows what is"));
    }
}
