namespace PolicyDaemon.Core.Rotation;

/// <summary>How much there is to do.</summary>
/// <param name="Watched">Destinations above level <c>none</c>.</param>
/// <param name="Waiting">Those of them that are due, or were never probed.</param>
public readonly record struct ProbeCounts(int Watched, int Waiting);
