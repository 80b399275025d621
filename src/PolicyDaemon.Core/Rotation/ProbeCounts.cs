namespace PolicyDaemon.Core.Rotation;

/// <summary>How much there is to do.</summary>
/// <param name="Watched">Owners of pins to look after: destinations, and MX groups.</param>
/// <param name="Waiting">Those of them that are due, or were never looked at.</param>
public readonly record struct ProbeCounts(int Watched, int Waiting);
