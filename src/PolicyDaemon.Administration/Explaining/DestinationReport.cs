using System.Collections.Immutable;
using PolicyDaemon.Administration.Timeline;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Administration.Explaining;

/// <summary>Everything that is known of one destination: the answer and why, its keys now and before, what was said last, what is open about it.</summary>
/// <param name="Key">The destination.</param>
/// <param name="Settings">The configuration.</param>
/// <param name="Explanation">The answers that Postfix gets.</param>
/// <param name="Entry">Its own entry; null where it has none.</param>
/// <param name="Probed">What probes know of it; null where it is not configured.</param>
/// <param name="Timeline">How its keys followed one another.</param>
/// <param name="LastDialogue">The newest observation with a transcript; null where there is none.</param>
/// <param name="Findings">What is open about it.</param>
/// <param name="At">When the report was gathered.</param>
public sealed record DestinationReport(
    NextHop Key, Settings Settings, Explanation Explanation, Destination? Entry, ProbeState? Probed, KeyTimeline Timeline, StoredObservation? LastDialogue,
    ImmutableArray<Finding> Findings, DateTimeOffset At)
{
    /// <summary>The numbers of the open findings, by kind.</summary>
    public ImmutableDictionary<FindingKind, long> FindingIds { get; init; } = ImmutableDictionary<FindingKind, long>.Empty;

    /// <summary>False where the store knows nothing of it: no entry now or before, and nothing discovered.</summary>
    public bool IsKnown => Entry is not null || !Timeline.Decisions.IsEmpty || Explanation.Keys.Any(key => key.Key == Key && key.Discovered?.Memory is not null);

    public static DestinationReport Gather(NextHop key, PolicyStore store, Settings settings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(store);
        var entry = store.FindInForce(key);
        var probed = store.ReadProbeState(key);
        return new DestinationReport(
            key, settings, Explanation.Of(key, store, settings, now), entry, probed, KeyTimeline.Read(store, key, entry, probed, now),
            store.ReadObservations(key).FirstOrDefault(observation => !observation.Transcript.IsEmpty), [.. store.OpenFindings(key)], now)
        {
            FindingIds = store.NumbersOfOpenFindings(key).ToImmutableDictionary(),
        };
    }
}
