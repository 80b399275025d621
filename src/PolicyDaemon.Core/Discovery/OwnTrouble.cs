using System.Globalization;

namespace PolicyDaemon.Core.Discovery;

/// <summary>Tells whether so much fails that the cause is here: our network, resolver, clock or trust anchors, and not hundreds of domains.</summary>
/// <remarks>More than half of at least 20 in the last 15 minutes. Time is a number of minutes of any monotonic clock. What is counted are attempts: of
/// the destinations of all mail nobody knows how many there are, each is asked when mail asks for it, and some always fail. The prober, which
/// goes round and round a set that it knows, counts destinations instead, and how many of all (TroubleWatch). Trouble that began ends when something
/// worked: who backs off makes too few attempts to begin it again, and it would open and settle all night.</remarks>
/// <param name="what">What is counted, in the plural.</param>
public sealed class OwnTrouble(string what)
{
    private const int Minutes = 15;
    private const int Least = 20;

    // What fails is tried again hourly at the latest (StsRules); a failure older than that says nothing of now.
    private const int LongestRetry = 60 + Minutes;

    private readonly Lock guard = new();
    private readonly (long Minute, int All, int Failed)[] counts = new (long, int, int)[Minutes];
    private string lastHow = "";
    private string? last;
    private long lastFailed;

    /// <summary>The time of which attempts count.</summary>
    public static TimeSpan Window { get; } = TimeSpan.FromMinutes(Minutes);

    /// <summary>Counts one.</summary>
    /// <param name="failed">It failed.</param>
    /// <param name="minute">The time.</param>
    /// <param name="how">How it failed, a clause for people; empty where that is not known.</param>
    public void Note(bool failed, long minute, string how = "")
    {
        lock (guard)
        {
            ref var count = ref counts[minute % Minutes];
            if (count.Minute != minute)
                count = (minute, 0, 0);
            count.All++;
            count.Failed += failed ? 1 : 0;
            if (failed)
                (lastFailed, lastHow) = (minute, how);
            Judge(minute);
        }
    }

    /// <summary>The trouble of this machine, a sentence for people; null where nothing seems to be wrong.</summary>
    public string? Trouble(long minute)
    {
        lock (guard)
            return Judge(minute);
    }

    private string? Judge(long minute)
    {
        var (all, failed) = (0, 0);
        foreach (var count in counts)
        {
            if (count.Minute <= minute - Minutes || count.Minute > minute)
                continue;
            all += count.All;
            failed += count.Failed;
        }

        var how = lastHow.Length > 0 ? $" (the last one: {lastHow})" : "";
        if (all >= Least && failed * 2 > all)
            last = string.Create(CultureInfo.InvariantCulture, $"{failed} of {all} {what} failed in the last {Minutes} minutes{how}: our network, resolver, clock or trust anchors are the likely cause");
        else if (all > 0 ? failed * 2 <= all : minute - lastFailed >= LongestRetry)
            last = null;
        return last;
    }
}
