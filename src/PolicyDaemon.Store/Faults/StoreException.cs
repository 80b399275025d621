using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Store.Faults;

/// <summary>The store cannot be used; the message names the file and says what to do next.</summary>
// The kind decides exit codes and findings, so the usual constructors without it have no meaning.
#pragma warning disable CA1032
public sealed class StoreException : Exception
#pragma warning restore CA1032
{
    public StoreException(StoreFault kind, string message, Exception? cause = null)
        : base(message, cause) => Kind = kind;

    public StoreFault Kind { get; }

    /// <summary>True where the store itself is bad, so that waiting does not help.</summary>
    internal bool IsDamage => Kind is StoreFault.Damaged or StoreFault.NotAStore;

    internal static StoreException Damaged(string path, string detail, Exception? cause = null) =>
        new(
            StoreFault.Damaged,
            $"{path}: the store is damaged ({detail}); restore a backup, the daemon keeps answering from its last good snapshot",
            cause);

    /// <param name="place">Where the store went; of a copy that is not finished, where it comes from.</param>
    /// <param name="at">When, in seconds since 1970 UTC; null of a copy that is not finished.</param>
    internal static StoreException Moved(string path, string place, long? at) => new(
        StoreFault.Moved,
        at is { } seconds
            ? $"{path}: this store was moved to {place} at {UtcTime.Text(DateTimeOffset.FromUnixTimeSeconds(seconds))}, and is only read since; name that one in [store] of the configuration, and with --database"
            : $"{path}: a copy of {place} that 'store migrate' has not finished, which nobody writes; repeat it there, or, where the store there is lost, use this copy with 'policyctl store migrate --take-back --reason TEXT'");
}

/// <summary>Why a store cannot be used.</summary>
public enum StoreFault
{
    /// <summary>There is no file.</summary>
    Missing,

    /// <summary>There is a file where a new store was to be made.</summary>
    Exists,

    /// <summary>The file is a store that is damaged.</summary>
    Damaged,

    /// <summary>The file is no store.</summary>
    NotAStore,

    /// <summary>A newer version of the programs wrote the store, and this version cannot open it for this purpose.</summary>
    Newer,

    /// <summary>An older version wrote the store, and it was opened for reading only, so that it cannot be brought up to date.</summary>
    Older,

    /// <summary>Another process has held the store's lock for longer than the wait.</summary>
    Locked,

    /// <summary>The system refuses access.</summary>
    Permission,

    /// <summary>The file system is mounted for reading only.</summary>
    ReadOnly,

    /// <summary>The store was taken elsewhere, and is written no more.</summary>
    Moved,

    /// <summary>No space or inode is left on the device.</summary>
    Full,

    /// <summary>Any other error of the device or of the database.</summary>
    Unavailable,
}
