using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>The destinations that are due within the next minutes, read from the ledger page by page, so that a million destinations take no
/// memory and a change of the list costs nothing.</summary>
/// <remarks>Not for several tasks at once. The engine says which keys are probed now.</remarks>
/// <param name="page">How many destinations are read from the ledger at once.</param>
internal sealed class DueWindow(IProbeLedger ledger, Func<NextHop, bool> isRunning, int page = DueWindow.Page)
{
    private const int Page = 10_000;

    /// <summary>How far ahead of the present the window reaches.</summary>
    internal static readonly TimeSpan Span = TimeSpan.FromMinutes(10);

    // Where the ledger lists nothing that is not known here already, asking it again at once is idle.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private readonly DueQueue dueQueue = new();
    private readonly HashSet<NextHop> nothing = [];
    private DateTimeOffset horizon = DateTimeOffset.MinValue;
    private DateTimeOffset notBefore = DateTimeOffset.MinValue;
    private DateTimeOffset taken = DateTimeOffset.MinValue;
    private bool isCut;
    private long newEnd;
    private bool hasAllNew;
    private int beyond;

    /// <summary>How many destinations there are to probe.</summary>
    public int Destinations { get; private set; }

    /// <summary>How many destinations are due and wait for their turn.</summary>
    public int CountDue(DateTimeOffset now) => dueQueue.CountDue(now) + beyond;

    /// <summary>Reads the list again, because destinations were added, changed or removed.</summary>
    /// <param name="anyKey">True where keys may have changed for which <see cref="Hasten"/> is not called.</param>
    public void ListChanged(bool anyKey)
    {
        (horizon, notBefore) = (DateTimeOffset.MinValue, DateTimeOffset.MinValue);
        nothing.Clear();
        if (anyKey)
            (newEnd, hasAllNew) = (0, false);
    }

    /// <summary>Reads everything again, because the clock was set and the due times in the window are those of another clock.</summary>
    public void ClockSet(DateTimeOffset now)
    {
        dueQueue.Restart(now);
        taken = DateTimeOffset.MinValue;
        ListChanged(anyKey: true);
    }

    /// <summary>When the next destination is due or the window has to be read again.</summary>
    public DateTimeOffset Next()
    {
        var refill = RefillAt();
        return dueQueue.Next() is { } next && next < refill ? next : refill;
    }

    /// <summary>True where a destination is due now, or may be because the window has to be read again.</summary>
    public bool IsAnythingDue(DateTimeOffset now) => dueQueue.Next() <= now || RefillAt() <= now;

    /// <summary>Takes the next destination that is due by now.</summary>
    /// <exception cref="LedgerUnavailableException">The ledger cannot be read; the destinations in the window can still be taken.</exception>
    public bool TryTake(DateTimeOffset now, out NextHop key, out ProbeReason reason)
    {
        taken = now;
        if (RefillAt() <= now)
            Refill(now);
        return dueQueue.TryTake(now, out key, out reason);
    }

    /// <summary>Makes a key due no later than now, whether the window holds the key or not.</summary>
    public void Hasten(NextHop key, DateTimeOffset due, ProbeReason reason) => dueQueue.Hasten(key, due, reason);

    /// <summary>The probe of a destination has ended.</summary>
    /// <param name="due">When the destination is due next.</param>
    /// <param name="isKept">True where the ledger has that time, too.</param>
    public void Return(NextHop key, DateTimeOffset due, bool isKept)
    {
        if (!isKept || due <= horizon)
            dueQueue.Set(key, due, ProbeReason.Scheduled);
    }

    /// <summary>Leaves a destination out until the list changes, because it is gone or its row cannot be read.</summary>
    public void Forget(NextHop key)
    {
        if (nothing.Count < page)
            nothing.Add(key);
    }

    /// <summary>Does not read the ledger before this time, because it could not be read.</summary>
    public void RetryAt(DateTimeOffset at) => notBefore = at;

    private DateTimeOffset RefillAt()
    {
        var at = horizon - (horizon == DateTimeOffset.MinValue ? TimeSpan.Zero : Span / 2);
        // More is waiting: when half of this is done, or only what comes after the rest is left.
        if (isCut || !hasAllNew)
            at = dueQueue.Count < page / 2 || dueQueue.Next() > horizon ? DateTimeOffset.MinValue : DateTimeOffset.MaxValue;
        // What was never probed is due already: it does not wait for those whose next turn is minutes away.
        if (!hasAllNew && !(dueQueue.Next() <= taken))
            at = DateTimeOffset.MinValue;
        return at > notBefore ? at : notBefore;
    }

    private void Refill(DateTimeOffset now)
    {
        var until = now + Span;
        var listed = ledger.ListDue(until, page + nothing.Count);
        var brought = listed.Count(one => Add(one.Key, one.Due ?? now));
        if (!hasAllNew)
        {
            var unprobed = ledger.ListUnprobed(newEnd, page / 2);
            brought += unprobed.Keys.Count(key => Add(key, now));
            (newEnd, hasAllNew) = (unprobed.End, unprobed.IsLast);
        }

        isCut = listed.Count == page + nothing.Count;
        horizon = isCut ? listed[^1].Due ?? now : until;
        notBefore = brought == 0 ? now + Pause : now;
        var counts = ledger.Count(now);
        Destinations = counts.Destinations;
        beyond = isCut || !hasAllNew ? Math.Max(0, counts.Waiting - dueQueue.CountDue(now)) : 0;
    }

    private bool Add(NextHop key, DateTimeOffset due)
    {
        if (dueQueue.Contains(key) || isRunning(key) || nothing.Contains(key))
            return false;
        dueQueue.Set(key, due, ProbeReason.Scheduled);
        return true;
    }
}
