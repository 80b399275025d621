using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Fleet;

namespace PolicyDaemon.Daemon.Fleet;

/// <summary>What is wrong with nodes while nobody holds the lease, and so nobody may write it to the store.</summary>
/// <remarks>Every node shows it, and one of them, the first by name of those that are there, tells people. May be used from any thread.</remarks>
internal sealed class UnattendedFleet
{
    private volatile IReadOnlyList<Finding> all = [];
    private volatile IReadOnlyList<Finding> told = [];
    private IReadOnlyList<NodeState> known = [];

    /// <summary>The findings; none while somebody holds the lease, or the server is out of reach.</summary>
    internal IReadOnlyList<Finding> All => all;

    /// <summary>Those of them that this node tells people.</summary>
    internal IReadOnlyList<Finding> Told => told;

    /// <summary>Takes over what was read.</summary>
    /// <param name="nodes">All nodes; none where somebody tells of them.</param>
    /// <param name="self">This one.</param>
    internal void Take(IReadOnlyList<NodeState> nodes, string self, DateTimeOffset now)
    {
        if (ReferenceEquals(nodes, known))
            return;
        known = nodes;
        all = NodeFindings.Unattended(nodes, self, now);
        var vantage = nodes.FirstOrDefault(node => node.Name == self)?.Vantage;
        var first = nodes.Where(node => node.Vantage == vantage && !node.IsStale).Select(node => node.Name).Min(StringComparer.Ordinal);
        told = first == self ? all : [];
    }
}
