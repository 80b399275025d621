namespace PolicyDaemon.Store.Snapshots;

/// <summary>What a <see cref="SnapshotLoader"/> watches.</summary>
/// <param name="Database">The store.</param>
/// <param name="SnapshotFile">Where the last good snapshot is kept.</param>
public sealed record SnapshotLoaderOptions(string Database, string SnapshotFile)
{
    /// <summary>How often the store is asked whether it changed: the greater part of the time until a change is live.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a locked store is waited for before it counts as unavailable.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(1);
}
