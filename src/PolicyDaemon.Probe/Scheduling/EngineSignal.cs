using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>What the engine's one loop is told; only the loop touches what is due.</summary>
internal abstract record EngineSignal
{
    /// <summary>A destination is wanted at once.</summary>
    public sealed record Wanted(NextHop Key, ProbeReason Reason) : EngineSignal;

    /// <summary>The list of destinations has changed.</summary>
    /// <param name="AnyKey">Not only those that are wanted, too.</param>
    public sealed record ListChanged(bool AnyKey) : EngineSignal;

    /// <summary>A look has ended.</summary>
    /// <param name="NextDue">Null where the destination is no longer there.</param>
    /// <param name="IsKept">The ledger knows that, too.</param>
    /// <param name="Reconsider">It waits for the end of a round.</param>
    /// <param name="Shared">Others whose address showed something new.</param>
    /// <param name="NewKeySeen">Others are probed, too, so that the brake can see whether it is everywhere.</param>
    /// <param name="PinnedHosts">How many MX hosts the brake knows, to size that sample.</param>
    public sealed record Looked(
        NextHop Key, DateTimeOffset? NextDue, bool IsKept, bool Reconsider, IReadOnlyList<NextHop> Shared, bool NewKeySeen, int PinnedHosts) : EngineSignal;

    /// <summary>Something is due, or the engine is to stop.</summary>
    public sealed record Woken : EngineSignal
    {
        public static readonly Woken Instance = new();
    }
}
