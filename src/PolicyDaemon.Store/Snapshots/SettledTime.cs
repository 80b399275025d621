namespace PolicyDaemon.Store.Snapshots;

/// <summary>The time that has surely come: the earliest that the clock says by any of its readings within the last minutes and what has passed since. Not for several threads at once.</summary>
/// <remarks>Lookups go by the clock as it is. What a time makes happen for good waits for this one, so that a clock that was ahead for a
/// moment, as before a time server is asked or after a virtual machine woke, ends nothing. A clock that keeps time shows the same as this one; one
/// that was set ahead is believed when it has stood by that for long enough.</remarks>
internal sealed class SettledTime(TimeProvider time)
{
    /// <summary>For so long a clock must have been watched, and must not have gone back since it was set.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Step = TimeSpan.FromMinutes(1);

    private readonly long began = time.GetTimestamp();

    // From each moment (of the clock that nobody can set) until the next: the earliest time that a reading says it was when the watch began.
    private readonly LinkedList<(long Since, DateTimeOffset Began)> shown = new();

    /// <summary>Reads the clock; to be called every few seconds.</summary>
    /// <returns>The time that has surely come; <see cref="DateTimeOffset.MinValue"/> before the clock was watched for long enough.</returns>
    internal DateTimeOffset Read()
    {
        var (now, moment) = (time.GetUtcNow(), time.GetTimestamp());
        var passed = time.GetElapsedTime(began, moment);
        var start = now - passed;
        if (shown.Last is not { } last || time.GetElapsedTime(last.Value.Since, moment) >= Step)
            shown.AddLast((moment, start));
        else if (start < last.Value.Began)
            last.Value = (last.Value.Since, start);
        while (shown.First!.Next is { } second && time.GetElapsedTime(second.Value.Since, moment) >= Window)
            shown.RemoveFirst();
        return time.GetElapsedTime(shown.First.Value.Since, moment) >= Window ? shown.Min(step => step.Began) + passed : DateTimeOffset.MinValue;
    }
}
