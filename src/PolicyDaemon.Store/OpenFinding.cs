using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Store;

/// <summary>A finding that nobody has settled yet.</summary>
/// <param name="Finding">What it is.</param>
/// <param name="Occurrences">How often it was raised since it opened.</param>
/// <param name="LastSeen">When it was raised last, UTC.</param>
public sealed record OpenFinding(Finding Finding, long Occurrences, DateTimeOffset LastSeen);
