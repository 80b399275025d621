namespace PolicyDaemon.Lookup.Answering;

/// <summary>Takes note on the lookup path that pins were asked for: must neither block nor grow without bound.</summary>
public interface IPinnedLookupSink
{
    /// <param name="canonicalKey">The key that was answered at level <c>fingerprint</c>.</param>
    void Add(ReadOnlySpan<byte> canonicalKey);
}
