namespace PolicyDaemon.Store.Snapshots;

/// <summary>The time that has surely come: the earliest that the clock has shown within the last minutes. Not for several threads at once.</summary>
/// <remarks>Lookups go by the clock as it is. What a time makes happen for good waits for this one, so that a clock that was ahead for a
/// moment, as before a time server is asked or after a virtual machine woke, ends nothing.</remarks>
internal sealed class SettledTime(TimeProvider time)
{
    /// <summary>For so long a time must have passed by the clock, and the clock must not have gone back behind it.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Step = TimeSpan.FromMinutes(1);

    // The earliest time shown from each moment (of the clock that nobody can set) until the next.
    private readonly LinkedList<(long Since, DateTimeOffset Earliest)> shown = new();

    /// <summary>Reads the clock; to be called every few seconds.</summary>
    /// <returns>The time that has surely come; <see cref="DateTimeOffset.MinValue"/> before the clock was watched for long enough.</returns>
    internal DateTimeOffset Read()
    {
        var (now, moment) = (time.GetUtcNow(), time.GetTimestamp());
        if (shown.Last is not { } last || time.GetElapsedTime(last.Value.Since, moment) >= Step)
            shown.AddLast((moment, now));
        else if (now < last.Value.Earliest)
            last.Value = (last.Value.Since, now);
        while (shown.First!.Next is { } second && time.GetElapsedTime(second.Value.Since, moment) >= Window)
            shown.RemoveFirst();
        return time.GetElapsedTime(shown.First.Value.Since, moment) >= Window ? shown.Min(step => step.Earliest) : DateTimeOffset.MinValue;
    }
}
