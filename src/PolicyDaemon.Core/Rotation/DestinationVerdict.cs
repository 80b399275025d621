using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What would happen to a destination's mail now.</summary>
public enum DestinationVerdict
{
    /// <summary>Nothing was seen yet, or there is nothing to compare with.</summary>
    Unknown,

    Ok,

    /// <summary>Some address would be refused.</summary>
    Degraded,

    /// <summary>Every reachable address would be refused.</summary>
    Mismatch,

    /// <summary>No address could be reached.</summary>
    Unreachable,
}

/// <summary>The stored names of verdicts over a destination.</summary>
public static class DestinationVerdicts
{
    private static readonly StoredNames<DestinationVerdict> Stored = new(
        (DestinationVerdict.Unknown, "unknown"), (DestinationVerdict.Ok, "ok"), (DestinationVerdict.Degraded, "degraded"),
        (DestinationVerdict.Mismatch, "mismatch"), (DestinationVerdict.Unreachable, "unreachable"));

    public static string Name(this DestinationVerdict value) => Stored.Of(value);

    public static bool TryParse([NotNullWhen(true)] string? name, out DestinationVerdict value) => Stored.TryParse(name, out value);
}
