namespace PolicyDaemon.Lookup.Answering;

/// <summary>Takes note of near misses on the lookup path: must neither block nor grow without bound.</summary>
public interface INearMissSink
{
    /// <param name="canonicalKey">The key that missed while its bare host has an entry in another form.</param>
    void Add(ReadOnlySpan<byte> canonicalKey);
}
