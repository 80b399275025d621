namespace PolicyDaemon.Probe.Scheduling;

/// <summary>Spreads the beginnings of looks evenly over time.</summary>
/// <remarks>A look is a burst of up to a millisecond of processor time; as many at once as there is room for keep every core busy,
/// and a lookup waits for them. Not for several tasks at once.</remarks>
internal sealed class ProbePace(int perSecond)
{
    // Timers are no finer than a millisecond and late by another, so what was missed meanwhile may begin together.
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(5);

    private readonly TimeSpan step = TimeSpan.FromSeconds(1) / perSecond;
    private DateTimeOffset booked = DateTimeOffset.MinValue;

    /// <summary>When another look may begin; in the past where one may begin now.</summary>
    public DateTimeOffset Next() => booked == DateTimeOffset.MinValue ? booked : booked - Together;

    public bool Allows(DateTimeOffset now) => Next() <= now;

    public void Begin(DateTimeOffset now) => booked = (booked > now ? booked : now) + step;
}
