using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>What the engine's one loop is told; only the loop touches what is due.</summary>
internal abstract record EngineSignal
{
    /// <summary>A destination is to be probed at once.</summary>
    public sealed record Wanted(NextHop Key, ProbeReason Reason) : EngineSignal;

    /// <summary>The list of destinations has changed.</summary>
    /// <param name="AnyKey">Also keys that are not wanted one by one.</param>
    public sealed record ListChanged(bool AnyKey) : EngineSignal;

    /// <summary>The probe of a destination has ended.</summary>
    public sealed record ProbeEnded : EngineSignal
    {
        public required NextHop Key { get; init; }

        /// <summary>When the destination is due again; null where there is nothing to probe any more.</summary>
        public required DateTimeOffset? NextDue { get; init; }

        /// <summary>The ledger knows when the destination is due; false for a probe that came to nothing.</summary>
        public bool IsRecorded { get; init; } = true;

        /// <summary>The end of the pass may change what the rules make of the destination.</summary>
        public bool AwaitsEndOfPass { get; init; }

        /// <summary>Destinations behind an address that showed something new.</summary>
        public ImmutableArray<NextHop> Sharing { get; init; } = [];

        /// <summary>A new key was seen, and so many MX hosts are pinned in all: others are probed, too, so that the brake can tell a renewal
        /// from a fault of our network. Null where none was.</summary>
        public int? NewKeyAmong { get; init; }
    }

    /// <summary>Something is due, or the engine is to stop.</summary>
    public sealed record Woken : EngineSignal
    {
        public static readonly Woken Instance = new();
    }
}
