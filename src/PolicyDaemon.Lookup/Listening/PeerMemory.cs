using Microsoft.Extensions.Logging;
using PolicyDaemon.Lookup.Answering;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>Counts and bounds the octets that are kept for slow peers, over all connections: replies that they do not take, requests that they do not finish.</summary>
/// <remarks>A reply that the kernel takes at once never comes here, nor does a request that arrives in one piece: an ordinary lookup costs nothing.</remarks>
/// <param name="limit">The most octets.</param>
/// <param name="exceeded">Called with the octets to free by ending connections; that is a quarter of the limit more than needed, so that it is called seldom.</param>
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

/// <summary>What all connections of a server share.</summary>
/// <param name="Deadlines">The sweep that ends late requests and replies; armed where one begins.</param>
/// <param name="Memory">Counts the octets that are kept for slow peers.</param>
/// <param name="Faults">Bounds the log lines that peers can cause.</param>
/// <param name="Ended">Called with a connection that is over.</param>
internal sealed record ConnectionContext(
    ILogger Logger, TimeProvider Time, DeadlineSweep Deadlines, PeerMemory Memory, LogGate Faults, Action<MapConnection> Ended);
