using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Cli.Fetching;

/// <summary>How it is decided what of the seen is pinned.</summary>
/// <param name="Yes">Evidence A only.</param>
/// <param name="Expected">Exactly these; empty: not given.</param>
/// <param name="TrustsFirstSight">Whatever is seen.</param>
/// <param name="HasReason">A reason was given, without which nothing is trusted at first sight.</param>
/// <param name="DryRun">Nothing is asked; all that was seen is shown as if it were accepted.</param>
internal sealed record FetchDecision(bool Yes, IReadOnlyList<Fingerprint> Expected, bool TrustsFirstSight, bool HasReason, bool DryRun);
