using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>What one look at one destination came to.</summary>
/// <param name="Watched">The destination as it was before.</param>
/// <param name="Round">What was recorded; null where a look of a moment ago was enough and nothing was.</param>
/// <param name="NextDue">When it is due again.</param>
/// <param name="Changed">Targets that showed something new: it concerns everybody behind them.</param>
/// <param name="Counts">The numbers of the brake before it.</param>
public sealed record DestinationProbeResult(
    DestinationState Watched, ProbeResult? Round, DateTimeOffset NextDue, ImmutableArray<ProbeTarget> Changed, BrakeCounts Counts)
{
    /// <summary>Every known address as the rules saw it, listed or only remembered.</summary>
    public ImmutableArray<AddressState> Addresses { get; init; } = [];
}
