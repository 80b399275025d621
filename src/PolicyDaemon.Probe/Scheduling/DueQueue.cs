using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>A queue of keys by the time at which each is due. Not for several tasks at once.</summary>
internal sealed class DueQueue
{
    private readonly Dictionary<NextHop, (DateTimeOffset Due, ProbeReason Reason)> entries = [];
    private readonly PriorityQueue<NextHop, DateTimeOffset> queue = new();

    // The engine asks for it several times between two changes.
    private DateTimeOffset? next;
    private bool isNextKnown;

    public int Count => entries.Count;

    public bool Contains(NextHop key) => entries.ContainsKey(key);

    /// <summary>Sets when a key is due, whatever it was before.</summary>
    public void Set(NextHop key, DateTimeOffset due, ProbeReason reason)
    {
        isNextKnown = false;
        entries[key] = (due, reason);
        queue.Enqueue(key, due);
        if (queue.Count > (2 * entries.Count) + 1000)
            Rebuild();
    }

    /// <summary>Makes a key due no later than this; a stronger reason for the same time wins.</summary>
    public bool Hasten(NextHop key, DateTimeOffset due, ProbeReason reason)
    {
        if (entries.TryGetValue(key, out var entry) && (entry.Due < due || (entry.Due == due && entry.Reason >= reason)))
            return false;
        Set(key, due, reason);
        return true;
    }

    /// <summary>Drops what is due by the timetable; what was hastened for another reason is due now.</summary>
    public void Restart(DateTimeOffset now)
    {
        var hastened = entries.Where(entry => entry.Value.Reason != ProbeReason.Scheduled).ToList();
        entries.Clear();
        queue.Clear();
        isNextKnown = false;
        foreach (var (key, (_, reason)) in hastened)
            Set(key, now, reason);
    }

    public int CountDue(DateTimeOffset now) => entries.Values.Count(entry => entry.Due <= now);

    /// <summary>When the next key is due; null where there is none.</summary>
    public DateTimeOffset? Next()
    {
        if (!isNextKnown)
            (next, isNextKnown) = (Find(), true);
        return next;
    }

    /// <summary>Takes the next key that is due by now out of the queue.</summary>
    public bool TryTake(DateTimeOffset now, out NextHop key, out ProbeReason reason)
    {
        (key, reason) = (default, default);
        if (Next() is not { } due || due > now)
            return false;
        isNextKnown = false;
        key = queue.Dequeue();
        reason = entries[key].Reason;
        entries.Remove(key);
        return true;
    }

    private DateTimeOffset? Find()
    {
        while (queue.TryPeek(out var key, out var due))
        {
            if (entries.TryGetValue(key, out var entry) && entry.Due == due)
                return due;
            queue.Dequeue(); // superseded
        }

        return null;
    }

    private void Rebuild()
    {
        queue.Clear();
        queue.EnqueueRange(entries.Select(entry => (entry.Key, entry.Value.Due)));
    }
}
