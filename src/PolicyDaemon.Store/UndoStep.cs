using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Store;

/// <summary>What taking a change back does to one key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Now">As it is; null where it is not configured.</param>
/// <param name="BackTo">As it will be; null where it will be removed.</param>
/// <param name="StillRejected">Pins that were rejected since and stay so, although the earlier state had them.</param>
public sealed record UndoStep(NextHop Key, Destination? Now, Destination? BackTo, IReadOnlyList<Fingerprint> StillRejected);
