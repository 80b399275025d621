namespace PolicyDaemon.Probe.Scheduling;

/// <summary>Tells when the machine's clock was set: it then differs from the time that has passed. Not for several tasks at once.</summary>
/// <remarks>Corrections of seconds, which NTP makes every day, change nothing that the prober decides. A suspended machine's clock is ahead
/// when it wakes; that says nothing about the clock unless it is much.</remarks>
internal sealed class ClockWatch(TimeProvider time)
{
    private static readonly TimeSpan Back = TimeSpan.FromMinutes(-1);
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(10);

    private DateTimeOffset clock = time.GetUtcNow();
    private long passed = time.GetTimestamp();

    /// <summary>How far the clock was set since the last call, back where it is negative; null where it went as time did.</summary>
    public TimeSpan? TakeJump()
    {
        var (now, timestamp) = (time.GetUtcNow(), time.GetTimestamp());
        var jump = now - clock - time.GetElapsedTime(passed, timestamp);
        (clock, passed) = (now, timestamp);
        return jump <= Back || jump >= Ahead ? jump : null;
    }
}
