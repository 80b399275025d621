using System.Globalization;

namespace PolicyDaemon.Core.Discovery;

/// <summary>Tells whether so much fails that the cause is here: our network, resolver, clock or trust anchors, and not hundreds of domains.</summary>
/// <remarks>More than half of at least 20 in the last 15 minutes. Time is a number of minutes of any monotonic clock. What is counted are attempts: of
/// the destinations of all mail nobody knows how many there are, each is asked when mail asks for it, and some always fail. The prober, which
/// goes round and round a set that it knows, counts destinations instead, and how many of all (TroubleWatch).</remarks>
/// <param name="what">What is counted, in the plural.</param>
public sealed class OwnTrouble(string what)
{
    private const int Minutes = 15;
    private const int Least = 20;

    private readonly Lock guard = new();
    private readonly (long Minute, int All, int Failed)[] counts = new (long, int, int)[Minutes];
    private string lastHow = "";

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
                lastHow = how;
        }
    }

    /// <summary>The trouble of this machine, a sentence for people; null where nothing seems to be wrong.</summary>
    public string? Trouble(long minute)
    {
        var (all, failed) = (0, 0);
        string how;
        lock (guard)
        {
            foreach (var count in counts)
            {
                if (count.Minute <= minute - Minutes || count.Minute > minute)
                    continue;
                all += count.All;
                failed += count.Failed;
            }

            how = lastHow.Length > 0 ? $" (the last one: {lastHow})" : "";
        }

        return all >= Least && failed * 2 > all
            ? string.Create(CultureInfo.InvariantCulture, $"{failed} of {all} {what} failed in the last {Minutes} minutes{how}: our network, resolver, clock or trust anchors are the likely cause")
            : null;
    }
}
