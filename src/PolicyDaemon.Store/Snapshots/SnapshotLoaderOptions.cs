namespace PolicyDaemon.Store.Snapshots;

/// <summary>Files and times of a <see cref="SnapshotLoader"/>.</summary>
/// <param name="Database">The database file of the store.</param>
/// <param name="SnapshotFile">Where the last good snapshot is kept.</param>
public sealed record SnapshotLoaderOptions(string Database, string SnapshotFile)
{
    /// <summary>How often the store is asked whether it changed: the greater part of the time until a change is live.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The node that the loader's findings are about; null in a store that has one.</summary>
    public string? Node { get; init; }

    /// <summary>Whether changes on a server wake the loader, which asks again and again anyway.</summary>
    public bool Notify { get; init; }

    /// <summary>Spreads the polls of the nodes that follow one server.</summary>
    public Random Jitter { get; init; } = Random.Shared;

    /// <summary>How long the loader waits for a locked store before the store counts as unavailable.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);
}
