using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Store;

/// <summary>What the store holds under a key: a destination, or something this program cannot read.</summary>
/// <param name="Id">The row.</param>
/// <param name="Key">The key as stored.</param>
/// <param name="Value">The destination; null where it cannot be read.</param>
/// <param name="Problem">Why not.</param>
internal readonly record struct StoredDestination(long Id, string Key, Destination? Value, string? Problem)
{
    /// <summary>What Postfix is told of a key whose entry cannot be read.</summary>
    internal static readonly LookupAnswer Unreadable = LookupAnswer.Temporary("the entry of this destination cannot be read");

    /// <exception cref="StoreException">It cannot be read.</exception>
    internal Destination Get(string path) =>
        Value ?? throw new StoreException(StoreFault.Damaged, $"{path}: the entry {Key} cannot be read: {Problem}; remove it and add it again, or restore a backup");
}
