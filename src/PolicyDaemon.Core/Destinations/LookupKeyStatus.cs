namespace PolicyDaemon.Core.Destinations;

/// <summary>What <see cref="LookupKey.Normalize"/> made of the bytes Postfix sent.</summary>
public enum LookupKeyStatus
{
    /// <summary>The canonical form of something an entry could be configured for.</summary>
    Canonical,

    /// <summary>Nothing that <see cref="NextHop.TryParse"/> accepts, so provably not configured: "not found" is true.</summary>
    NotADestination,

    /// <summary>A name outside ASCII that has no A-label form here. What was meant cannot be told: answer a temporary error.</summary>
    Unmappable,
}
