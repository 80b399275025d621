namespace PolicyDaemon.Lookup.Listening;

/// <summary>What is kept for peers that keep us waiting, of all connections together: replies that they do not take, requests that they do not end.</summary>
/// <remarks>A reply that the kernel takes at once never comes here, nor does a request that arrives in one piece: an ordinary lookup costs nothing.</remarks>
/// <param name="limit">Octets.</param>
/// <param name="exceeded">Ends connections that hold as many octets; a quarter more than are too many, so that it is not called for each.</param>
internal sealed class PeerMemory(long limit, Action<long> exceeded)
{
    private long held;

    public long Held => Interlocked.Read(ref held);

    public void Change(long octets)
    {
        var now = Interlocked.Add(ref held, octets);
        if (octets > 0 && now > limit)
            exceeded(now - limit + (limit / 4));
    }
}
