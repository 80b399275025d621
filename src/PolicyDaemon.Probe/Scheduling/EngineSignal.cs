using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>A message to the engine's loop, the only one that touches the list of what is due.</summary>
internal abstract record EngineSignal
{
    /// <summary>A destination is to be probed at once.</summary>
    public sealed record Wanted(NextHop Key, ProbeReason Reason) : EngineSignal;

    /// <summary>The list of destinations has changed.</summary>
    /// <param name="AnyKey">True where keys may have changed for which no <see cref="Wanted"/> follows.</param>
    public sealed record ListChanged(bool AnyKey) : EngineSignal;

    /// <summary>The probe of a destination has ended.</summary>
    public sealed record ProbeEnded : EngineSignal
    {
        public required NextHop Key { get; init; }

        /// <summary>When the destination is due again; null where there is nothing to probe any more.</summary>
        public required DateTimeOffset? NextDue { get; init; }

        /// <summary>True where the ledger has the due time; false for a probe without a result.</summary>
        public bool IsRecorded { get; init; } = true;

        /// <summary>True where a decision about the destination waits for the end of the pass.</summary>
        public bool AwaitsEndOfPass { get; init; }

        /// <summary>Destinations behind an address that showed something new.</summary>
        public ImmutableArray<NextHop> Sharing { get; init; } = [];

        /// <summary>A new key was seen: others are probed, too, so that the brake can tell a renewal from a fault of our network.</summary>
        public bool NewKeySeen { get; init; }
    }

    /// <summary>Something is due, or the engine is to stop.</summary>
    public sealed record Woken : EngineSignal
    {
        public static readonly Woken Instance = new();
    }
}
