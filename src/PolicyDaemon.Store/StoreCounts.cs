using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Store;

/// <summary>How much a store holds.</summary>
/// <param name="Destinations">All keys.</param>
/// <param name="Observed">Keys that are not enforced yet.</param>
/// <param name="ByLevel">Keys of each level that occurs.</param>
/// <param name="PinsByState">Pins in each state that occurs.</param>
public sealed record StoreCounts(
    long Destinations, long Observed, IReadOnlyDictionary<TlsLevel, long> ByLevel, IReadOnlyDictionary<PinState, long> PinsByState);
