using System.Collections.Immutable;

namespace PolicyDaemon.Core;

/// <summary>Counts how long something took, in buckets. Safe for several threads at once; counting allocates nothing and takes no lock.</summary>
/// <param name="bounds">Upper bounds of the buckets, in seconds, ascending; what took longer is in none. See <see cref="DurationBounds"/>.</param>
public sealed class DurationHistogram(ImmutableArray<double> bounds)
{
    // Of each bucket alone, so that one figure changes; the last has what took longer.
    private readonly long[] counts = new long[bounds.Length + 1];
    private long ticks;

    /// <summary>Counts one duration; a negative one, of a clock that was set, as zero.</summary>
    public void Add(TimeSpan elapsed)
    {
        if (elapsed < TimeSpan.Zero)
            elapsed = TimeSpan.Zero;
        var bucket = 0;
        while (bucket < bounds.Length && elapsed.TotalSeconds > bounds[bucket])
            bucket++;
        Interlocked.Increment(ref counts[bucket]);
        Interlocked.Add(ref ticks, elapsed.Ticks);
    }

    /// <summary>The counts so far.</summary>
    public DurationCount Read()
    {
        var buckets = new long[bounds.Length];
        var sum = 0L;
        for (var bucket = 0; bucket < bounds.Length; bucket++)
            buckets[bucket] = sum += Interlocked.Read(ref counts[bucket]);
        return new DurationCount(
            sum + Interlocked.Read(ref counts[^1]), TimeSpan.FromTicks(Interlocked.Read(ref ticks)).TotalMilliseconds, buckets);
    }
}

/// <summary>How long something took, as a histogram.</summary>
/// <param name="Count">How often.</param>
/// <param name="Milliseconds">How long altogether.</param>
/// <param name="Buckets">How many took at most as long as each of the bounds.</param>
public sealed record DurationCount(long Count, double Milliseconds, IReadOnlyList<long> Buckets);

/// <summary>Upper bounds of the buckets of each histogram, in seconds. Named in policyctl(1), so they change with a major version only.</summary>
public static class DurationBounds
{
    /// <summary>Of a lookup: microseconds from the snapshot, seconds where it waits for discovery.</summary>
    public static readonly ImmutableArray<double> Lookup = [0.000001, 0.000002, 0.000005, 0.00001, 0.00005, 0.0001, 0.001, 0.01, 0.1, 1, 5];

    /// <summary>Of a discovery.</summary>
    public static readonly ImmutableArray<double> Discovery = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 5, 15];

    /// <summary>Of a probe of an address.</summary>
    public static readonly ImmutableArray<double> Probe = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

    /// <summary>From the commit of a change until it is served. The log keeps whole seconds, so that up to a second too many is counted.</summary>
    public static readonly ImmutableArray<double> ChangeToLive = [2, 3, 5, 10, 30, 60, 300, 3600];
}
