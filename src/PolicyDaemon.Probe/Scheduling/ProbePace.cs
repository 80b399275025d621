namespace PolicyDaemon.Probe.Scheduling;

/// <summary>Spreads the beginnings of probes evenly over time (probes_per_second).</summary>
/// <remarks>A probe is a burst of up to a millisecond of processor time; as many at once as there is room for keep every core busy,
/// and a lookup waits for them. Not for several tasks at once.</remarks>
internal sealed class ProbePace(int perSecond)
{
    // Timers are no finer than a millisecond and late by another, so what was missed meanwhile may begin together.
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(5);

    private readonly TimeSpan step = TimeSpan.FromSeconds(1) / perSecond;
    private DateTimeOffset booked = DateTimeOffset.MinValue;

    /// <summary>When the next probe may begin; a time in the past where it may begin now.</summary>
    /// <remarks>Never more than a step is booked ahead: what is further was booked before the clock was set back.</remarks>
    public DateTimeOffset Next(DateTimeOffset now) =>
        booked == DateTimeOffset.MinValue || booked > now + step + Together ? DateTimeOffset.MinValue : booked - Together;

    public bool Allows(DateTimeOffset now) => Next(now) <= now;

    public void Begin(DateTimeOffset now) => booked = (booked > now && booked <= now + step + Together ? booked : now) + step;
}
