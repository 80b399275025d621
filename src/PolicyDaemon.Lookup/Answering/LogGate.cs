namespace PolicyDaemon.Lookup.Answering;

/// <summary>Limits how often a log line is written and counts the lines held back, so that no peer can fill the log.</summary>
/// <remarks>A line every ten seconds for the first minute, so that a fault can be watched, then one each ten minutes: some 150 a day.</remarks>
internal sealed class LogGate(TimeProvider time)
{
    private const int AtOnce = 6;
    private static readonly TimeSpan Spacing = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Refill = TimeSpan.FromMinutes(10);

    private readonly Lock sync = new();
    private double left = AtOnce;
    private long lastTimestamp;
    private long heldBack;
    private bool hasPassed;

    /// <param name="suppressed">How many lines were held back since the last one that passed.</param>
    public bool TryPass(out long suppressed)
    {
        lock (sync)
        {
            var now = time.GetTimestamp();
            var pause = hasPassed ? time.GetElapsedTime(lastTimestamp, now) : Spacing;
            var available = Math.Min(AtOnce, left + (pause / Refill));
            if (pause < Spacing || available < 1)
            {
                heldBack++;
                suppressed = 0;
                return false;
            }

            left = available - 1;
            lastTimestamp = now;
            hasPassed = true;
            (suppressed, heldBack) = (heldBack, 0);
            return true;
        }
    }
}
