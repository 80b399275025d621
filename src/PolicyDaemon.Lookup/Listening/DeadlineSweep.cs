namespace PolicyDaemon.Lookup.Listening;

/// <summary>Examines all connections now and then while something is under way in one of them; sleeps otherwise.</summary>
/// <remarks>
/// A timer per request would cost more than the answer. A connection notes when a request or a reply began to wait, which
/// is rare, and arms the sweep; the sweep ends what has waited too long, late by at most its interval.
/// </remarks>
internal sealed class DeadlineSweep : IDisposable
{
    private readonly ITimer timer;
    private readonly TimeSpan interval;
    private int armed;

    /// <param name="sweep">Ends late connections; returns true while a request or reply is still under way.</param>
    public DeadlineSweep(TimeProvider time, TimeSpan interval, Func<bool> sweep)
    {
        this.interval = interval;
        timer = time.CreateTimer(
            _ =>
            {
                // First, so that what begins during the sweep arms the next one.
                Volatile.Write(ref armed, 0);
                if (sweep())
                    Arm();
            },
            null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Arm()
    {
        if (Volatile.Read(ref armed) == 0 && Interlocked.Exchange(ref armed, 1) == 0)
            timer.Change(interval, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => timer.Dispose();
}
