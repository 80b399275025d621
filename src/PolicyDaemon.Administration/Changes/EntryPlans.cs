using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;

namespace PolicyDaemon.Administration.Changes;

/// <summary>Plans that add, change or remove one entry.</summary>
public static class EntryPlans
{
    /// <param name="evidence">What its pins rest on, as JSON for the audit log; null where a person's word is all.</param>
    /// <exception cref="RefusedException">The key is configured already.</exception>
    public static IReadOnlyList<PlannedChange> Add(StoreView view, Destination destination, string? evidence)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(destination);
        return view.Find(destination.Key) is null
            ? [new PlannedChange(destination.Key, null, destination) { Evidence = evidence }]
            : throw Configured(destination.Key);
    }

    /// <summary>Refuses early what <see cref="Add"/> would refuse: before anything is asked of anybody's server, or of a person.</summary>
    /// <exception cref="RefusedException">The key is configured already.</exception>
    public static void RefuseConfigured(PolicyStore store, NextHop key)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (store.Find(key) is not null)
            throw Configured(key);
    }

    /// <param name="apply">From the entry as it is to the entry as it shall be.</param>
    /// <exception cref="RefusedException">The key is not configured.</exception>
    public static IReadOnlyList<PlannedChange> Set(StoreView view, NextHop key, Func<Destination, Destination> apply, string? evidence)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(apply);
        var before = view.Get(key);
        return [new PlannedChange(key, before, apply(before)) { Evidence = evidence }];
    }

    /// <exception cref="RefusedException">The key is not configured.</exception>
    public static IReadOnlyList<PlannedChange> Remove(StoreView view, NextHop key)
    {
        ArgumentNullException.ThrowIfNull(view);
        // An entry that cannot be read can be removed, too: that is its remedy.
        var judged = view.Judge(key, null);
        return judged.Action is null ? throw StoreView.Missing(view.Store, key) : [new PlannedChange(key, judged.Before, null)];
    }

    private static RefusedException Configured(NextHop key) => new(
        Refusal.ConfiguredAlready, $"{key} is configured already; change it with: policyctl domain set {Shell.Quote(key.Text)} ...");
}
