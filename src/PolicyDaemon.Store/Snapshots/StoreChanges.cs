namespace PolicyDaemon.Store.Snapshots;

/// <summary>What the loader took over since it was asked last.</summary>
/// <param name="Keys">The keys that changed or went; empty where everything was read again.</param>
/// <param name="Everything">Any key may have changed.</param>
public sealed record StoreChanges(IReadOnlyCollection<string> Keys, bool Everything);
