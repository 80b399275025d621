namespace PolicyDaemon.Core.Rotation;

/// <summary>What would happen to mail now.</summary>
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
