using System.Collections.Immutable;

namespace PolicyDaemon.Core.Discovery;

/// <summary>What discovery did since the daemon started, by fixed labels. Safe for several tasks at once.</summary>
public sealed class DiscoveryCounters
{
    private static readonly ImmutableArray<StsStatus> FetchResults = [StsStatus.Valid, StsStatus.FetchError, StsStatus.WebPkiInvalid, StsStatus.Invalid];

    private readonly Lock guard = new();
    private readonly DurationHistogram durations = new(DurationBounds.Discovery);
    private readonly long[] fetches = new long[FetchResults.Length];
    private long up;
    private long down;

    /// <summary>Counts a discovery that asked for something.</summary>
    /// <param name="elapsed">From its beginning to its verdict.</param>
    public void NoteRun(TimeSpan elapsed) => durations.Add(elapsed);

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
                durations.Read(),
                FetchResults.Select((status, index) => (status, index)).ToDictionary(pair => pair.status.Name(), pair => fetches[pair.index]), up, down);
        }
    }
}

/// <param name="Durations">How long discoveries took.</param>
/// <param name="Fetches">Attempts to fetch a policy, by result: valid, or a result type of RFC 8460.</param>
/// <param name="ChangesUp">Verdicts that became stricter.</param>
/// <param name="ChangesDown">Verdicts that became weaker.</param>
public sealed record DiscoveryCounts(DurationCount Durations, IReadOnlyDictionary<string, long> Fetches, long ChangesUp, long ChangesDown);
