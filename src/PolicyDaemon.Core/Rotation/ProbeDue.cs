using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>When a destination is due.</summary>
/// <param name="Key">The destination.</param>
/// <param name="Due">Null where it has never been probed: due now.</param>
public readonly record struct ProbeDue(NextHop Key, DateTimeOffset? Due);
