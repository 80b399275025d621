using System.Collections.Concurrent;

namespace PolicyDaemon.Daemon.Fleet;

/// <summary>What lookups of other nodes want probed, between the connection that reads it and the prober.</summary>
internal sealed class ProbeRequests
{
    // The prober drains it every second.
    private const int Most = 2000;

    private readonly ConcurrentQueue<string> waiting = new();

    internal void Add(IReadOnlyList<string> keys)
    {
        foreach (var key in keys)
        {
            if (waiting.Count < Most)
                waiting.Enqueue(key);
        }
    }

    internal IEnumerable<string> Drain()
    {
        while (waiting.TryDequeue(out var key))
            yield return key;
    }
}
