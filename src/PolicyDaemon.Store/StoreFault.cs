namespace PolicyDaemon.Store;

/// <summary>Why a store cannot be used.</summary>
public enum StoreFault
{
    /// <summary>There is no file.</summary>
    Missing,

    /// <summary>There is a file where a new store was to be made.</summary>
    Exists,

    /// <summary>The file is a store, but broken.</summary>
    Damaged,

    /// <summary>The file is something else.</summary>
    NotAStore,

    /// <summary>A newer version of the programs wrote it.</summary>
    Newer,

    /// <summary>An older version wrote it, and it was opened for reading only.</summary>
    Older,

    /// <summary>Another process holds it longer than is waited for.</summary>
    Locked,

    /// <summary>The system refuses access.</summary>
    Permission,

    /// <summary>The file system is mounted for reading only.</summary>
    ReadOnly,

    /// <summary>No space or inode is left on the device.</summary>
    Full,

    /// <summary>Any other error of the device or of SQLite.</summary>
    Unavailable,
}
