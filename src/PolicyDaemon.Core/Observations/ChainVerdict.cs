namespace PolicyDaemon.Core.Observations;

/// <summary>What the WebPKI says of a chain, names apart. Recorded, never a reason to break off a handshake.</summary>
public enum ChainVerdict
{
    /// <summary>It ends at a root of the configured store and every date is in order.</summary>
    Trusted,

    /// <summary>It would be trusted but for a date.</summary>
    Expired,

    NotTrusted,
}
