namespace PolicyDaemon.Lookup.Answering;

/// <summary>Lets one log line through per interval and counts what it held back: a stranger's requests must not fill the journal.</summary>
internal sealed class LogGate(TimeProvider time, TimeSpan interval)
{
    private long nextTimestamp = long.MinValue;
    private long heldBack;

    /// <param name="suppressed">How many lines were held back since the last one that passed.</param>
    public bool TryPass(out long suppressed)
    {
        var now = time.GetTimestamp();
        var next = Interlocked.Read(ref nextTimestamp);
        var following = now + (long)(interval.TotalSeconds * time.TimestampFrequency);
        if (now < next || Interlocked.CompareExchange(ref nextTimestamp, following, next) != next)
        {
            Interlocked.Increment(ref heldBack);
            suppressed = 0;
            return false;
        }

        suppressed = Interlocked.Exchange(ref heldBack, 0);
        return true;
    }
}
