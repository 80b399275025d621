namespace PolicyDaemon.Store;

/// <summary>What a store is opened for.</summary>
public enum StoreAccess
{
    /// <summary>Nothing is written; works while the daemon is down.</summary>
    Read,

    /// <summary>Changes may be made; a store of an older version is brought up to date.</summary>
    Write,
}
