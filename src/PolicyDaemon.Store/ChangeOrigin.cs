using PolicyDaemon.Core.Audit;

namespace PolicyDaemon.Store;

/// <summary>Where a change comes from.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Command">The command as given.</param>
/// <param name="Reason">Why, where a person said it.</param>
public sealed record ChangeOrigin(Actor Actor, string Command, string? Reason = null);
