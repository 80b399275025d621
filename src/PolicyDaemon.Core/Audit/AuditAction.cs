namespace PolicyDaemon.Core.Audit;

/// <summary>What an audit row records about one key or about the store.</summary>
public enum AuditAction
{
    /// <summary>A destination came to be.</summary>
    Add,

    /// <summary>A destination, its policy or its pins changed.</summary>
    Change,

    /// <summary>A destination was removed.</summary>
    Remove,

    /// <summary>The store was made.</summary>
    Init,

    /// <summary>A replaced store was accepted; the row's note holds the hash that the daemon last loaded.</summary>
    Accept,
}
