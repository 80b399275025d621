namespace PolicyDaemon.Lookup.Answering;

/// <summary>A key that was asked for while its host is configured in another form.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Count">How many lookups since the last time this was drained.</param>
public readonly record struct NearMiss(string Key, long Count);
