using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Changes;

/// <summary>The store as a command's plan sees it: within the write transaction, or read only for a dry run.</summary>
internal sealed class StoreView(PolicyStore store, StoreChange? change)
{
    public PolicyStore Store { get; } = store;

    public Destination? Find(NextHop key) => change is null ? Store.Find(key) : change.Find(key);

    /// <summary>The destination, which must be there.</summary>
    /// <exception cref="CommandException">It is not; the message names other forms of the key.</exception>
    public Destination Get(NextHop key) => Find(key) ?? throw Missing(Store, key);

    public UndoPlan PlanUndo(long changeId) => change is null ? Store.PlanUndo(changeId) : change.PlanUndo(changeId);

    internal static CommandException Missing(PolicyStore store, NextHop key)
    {
        var others = store.OtherForms(key);
        return new CommandException(
            ExitCode.Negative,
            $"{key} is not configured" + (others.Count > 0 ? $"; {string.Join(", ", others.Select(other => other.Key))} is, which is another key to Postfix" : ""));
    }
}
