using System.Collections.Immutable;

namespace PolicyDaemon.Core.Discovery;

/// <summary>What discovery did since the daemon started, by fixed labels. Safe for several tasks at once.</summary>
public sealed class DiscoveryCounters
{
    /// <summary>Upper bounds of the buckets of <see cref="DurationCount"/>, in seconds; what took longer is in none.</summary>
    public static readonly ImmutableArray<double> Bounds = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 5, 15];

    private static readonly ImmutableArray<StsStatus> FetchResults = [StsStatus.Valid, StsStatus.FetchError, StsStatus.WebPkiInvalid, StsStatus.Invalid];

    private readonly Lock guard = new();
    private readonly long[] buckets = new long[Bounds.Length];
    private readonly long[] fetches = new long[FetchResults.Length];
    private TimeSpan sum;
    private long count;
    private long up;
    private long down;

    /// <summary>Counts a discovery that asked for something.</summary>
    /// <param name="elapsed">From its beginning to its verdict.</param>
    public void NoteRun(TimeSpan elapsed)
    {
        lock (guard)
        {
            count++;
            sum += elapsed;
            for (var bucket = 0; bucket < buckets.Length; bucket++)
                buckets[bucket] += elapsed.TotalSeconds <= Bounds[bucket] ? 1 : 0;
        }
    }

    /// <summary>Counts an attempt to fetch a policy.</summary>
    public void NoteFetch(StsStatus status)
    {
        lock (guard)
        {
            if (FetchResults.IndexOf(status) is var index and >= 0)
                fetches[index]++;
        }
    }

    /// <summary>Counts a change of a verdict to a stricter answer, or to a weaker one; the first verdict is none.</summary>
    public void NoteChange(DiscoveryChange change, DiscoverySettings settings)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (change.From is not { } from)
            return;
        var step = VerdictTable.Compare(change.To, from, settings);
        lock (guard)
        {
            up += step > 0 ? 1 : 0;
            down += step < 0 ? 1 : 0;
        }
    }

    public DiscoveryCounts Read()
    {
        lock (guard)
        {
            return new DiscoveryCounts(
                new DurationCount(count, (long)sum.TotalMilliseconds, [.. buckets]),
                FetchResults.Select((status, index) => (status, index)).ToDictionary(pair => pair.status.Name(), pair => fetches[pair.index]), up, down);
        }
    }
}

/// <param name="Durations">How long discoveries took.</param>
/// <param name="Fetches">Attempts to fetch a policy, by result: valid, or a result type of RFC 8460.</param>
/// <param name="ChangesUp">Verdicts that became stricter.</param>
/// <param name="ChangesDown">Verdicts that became weaker.</param>
public sealed record DiscoveryCounts(DurationCount Durations, IReadOnlyDictionary<string, long> Fetches, long ChangesUp, long ChangesDown);

/// <summary>How long something took, as a histogram.</summary>
/// <param name="Count">How often.</param>
/// <param name="Milliseconds">How long altogether.</param>
/// <param name="Buckets">How many took at most as long as each of <see cref="DiscoveryCounters.Bounds"/>.</param>
public sealed record DurationCount(long Count, long Milliseconds, IReadOnlyList<long> Buckets);
