using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;

namespace PolicyDaemon.Store.Fleet;

/// <summary>One of the daemons that share a store on a server, as it said of itself last.</summary>
/// <param name="Name">The node.</param>
/// <param name="Version">The program's version.</param>
/// <param name="Vantage">Those that probe in place of one another have the same.</param>
/// <param name="MayProbe">False where <c>enabled = no</c> in its <c>[probe]</c>, or where it is refused the lease.</param>
/// <param name="HoldsLease">It is the one that probes and alerts.</param>
/// <param name="Digest">The algorithm of fingerprints that it answers with.</param>
/// <param name="Sequence">The last row of the audit log that it served then; null where it served nothing yet.</param>
/// <param name="Ahead">By how much its clock is before the server's; negative: behind.</param>
/// <param name="Seen">When it was there last, by the server's clock.</param>
/// <param name="Age">How long ago that is.</param>
public sealed record NodeState(
    string Name, string Version, string Vantage, bool MayProbe, bool HoldsLease, string Digest, long? Sequence, TimeSpan Ahead, DateTimeOffset Seen, TimeSpan Age)
{
    /// <summary>A node that was not there for so long is stale: its policyd has ended, or does not reach the server.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(1);

    /// <summary>True where its user of the server may not take the lease, so that it never probes.</summary>
    public bool IsRefused { get; init; }

    /// <summary>For how long nobody of its vantage has held the lease, by the server's clock; null where somebody does.</summary>
    public TimeSpan? Unattended { get; init; }

    /// <summary>True where nobody held the lease for a minute.</summary>
    public bool IsUnattended => Unattended >= StaleAfter;

    /// <summary>True where two processes say by turns that they are this node: two machines have the same name.</summary>
    public bool IsShared { get; init; }

    /// <summary>The process that said it.</summary>
    internal string Instance { get; init; } = "";

    /// <summary>True where nothing was heard of it for a while, so that what it said need not be so any more.</summary>
    public bool IsStale => Age >= StaleAfter;

    /// <summary>All nodes, by name; none in a store that has one.</summary>
    /// <exception cref="Faults.StoreException">The server cannot be reached.</exception>
    public static IReadOnlyList<NodeState> Read(string database)
    {
        using var tables = EngineChoice.For(database).OpenFleet(StoreAccess.Read);
        return tables is null ? [] : Read(tables);
    }

    /// <summary>Forgets a node; one that is there comes back within seconds.</summary>
    /// <returns>False where there is none of that name.</returns>
    /// <exception cref="Faults.StoreException">The server cannot be reached, or the store is a file.</exception>
    public static bool Remove(string database, string name)
    {
        using var tables = EngineChoice.For(database).OpenFleet(StoreAccess.Write);
        return tables is not null && tables.RemoveNode(name);
    }

    internal static IReadOnlyList<NodeState> Read(FleetTables tables)
    {
        var rows = tables.ReadNodes();
        var now = tables.ReadClock();
        var leases = rows.Select(row => row.Vantage).Distinct().ToDictionary(vantage => vantage, tables.ReadLease, StringComparer.Ordinal);
        return
        [
            .. rows.Select(row => new NodeState(
                row.Name, row.Version, row.Vantage, row.Probes == NodeRow.InTurn, leases[row.Vantage] is { Left: > 0 } lease && lease.Instance == row.Instance, row.Digest,
                row.Sequence, TimeSpan.FromMilliseconds(row.Ahead), DateTimeOffset.FromUnixTimeMilliseconds(row.Seen),
                TimeSpan.FromMilliseconds(Math.Max(0, now - row.Seen)))
            {
                Instance = row.Process(),
                IsRefused = row.WasRefused(),
                // Nobody ever had it: whoever may would have taken it within a second.
                Unattended = leases[row.Vantage] is not { } held ? TimeSpan.MaxValue : held.Left > 0 ? null : TimeSpan.FromMilliseconds(-held.Left),
            }),
        ];
    }
}
