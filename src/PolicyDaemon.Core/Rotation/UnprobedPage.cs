using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>A page of destinations that were never probed.</summary>
/// <param name="Keys">The destinations.</param>
/// <param name="End">Where it ends; the next page begins behind it.</param>
/// <param name="IsLast">No other page follows.</param>
public sealed record UnprobedPage(IReadOnlyList<NextHop> Keys, long End, bool IsLast);
