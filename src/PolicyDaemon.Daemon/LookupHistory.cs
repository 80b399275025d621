using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Lookup.Answering;

namespace PolicyDaemon.Daemon;

/// <summary>Lookups by answer of the last 300 seconds and the last 1,440 minutes, taken from the counters about once a second.</summary>
/// <remarks>
/// A lookup pays nothing for it. What was counted since the turn before is spread over the seconds that have passed, so that a turn that comes late
/// makes no peak. Time is measured without the clock, which may be set.
/// </remarks>
internal sealed class LookupHistory(TimeProvider time)
{
    private const int SecondsKept = 300;
    private const int MinutesKept = 1440;
    private const int SecondsOfMinute = 60;

    // Whoever reads it is no lookup.
    private readonly Lock sync = new();
    private readonly Ring seconds = new(SecondsKept, 1);
    private readonly Ring minutes = new(MinutesKept, SecondsOfMinute);
    private readonly long began = time.GetTimestamp();
    private Tally before;
    private Tally ofMinute;
    private long ended;

    /// <summary>Lookups of the last five minutes, second by second.</summary>
    public LookupSeries Seconds => Read(seconds);

    /// <summary>Lookups of the last day, minute by minute.</summary>
    public LookupSeries Minutes => Read(minutes);

    /// <summary>Takes over what was counted since the last time; to be called about once a second.</summary>
    public void Take(LookupCounters counters)
    {
        lock (sync)
        {
            var passed = (long)time.GetElapsedTime(began).TotalSeconds - ended;
            if (passed <= 0)
                return;
            // Longer ago than all that is kept.
            const long Most = (long)MinutesKept * SecondsOfMinute;
            if (passed > Most)
            {
                ended += passed - Most;
                passed = Most;
                ofMinute = default;
            }

            var now = new Tally(counters.Found, counters.NotFound, counters.Temporary, counters.Permanent);
            var rest = now.Minus(before);
            before = now;
            for (; passed > 0; passed--)
            {
                var share = rest.PartOf(passed);
                rest = rest.Minus(share);
                End(share);
            }
        }
    }

    private void End(Tally second)
    {
        seconds.Add(second);
        ofMinute = ofMinute.Plus(second);
        if (++ended % SecondsOfMinute != 0)
            return;
        minutes.Add(ofMinute);
        ofMinute = default;
    }

    private LookupSeries Read(Ring ring)
    {
        lock (sync)
        {
            // Of the minute that has not ended nothing is told.
            var open = TimeSpan.FromSeconds((ended % ring.Step) + (time.GetElapsedTime(began).TotalSeconds - ended));
            return ring.Read(time.GetUtcNow() - open);
        }
    }

    /// <summary>Lookups by answer.</summary>
    private readonly record struct Tally(long Found, long NotFound, long Temporary, long Permanent)
    {
        public Tally Plus(Tally other) =>
            new(Found + other.Found, NotFound + other.NotFound, Temporary + other.Temporary, Permanent + other.Permanent);

        public Tally Minus(Tally other) =>
            new(Found - other.Found, NotFound - other.NotFound, Temporary - other.Temporary, Permanent - other.Permanent);

        public Tally PartOf(long parts) => new(Found / parts, NotFound / parts, Temporary / parts, Permanent / parts);
    }

    /// <summary>The last intervals of one length; the oldest makes way.</summary>
    private sealed class Ring(int size, int step)
    {
        private readonly Tally[] kept = new Tally[size];
        private int next;
        private int count;

        public int Step => step;

        public void Add(Tally interval)
        {
            kept[next] = interval;
            next = (next + 1) % size;
            count = Math.Min(count + 1, size);
        }

        /// <param name="end">When the last interval ended.</param>
        public LookupSeries Read(DateTimeOffset end)
        {
            var first = (next - count + size) % size;
            return new LookupSeries(
                end - TimeSpan.FromSeconds((long)count * step), step, Values(interval => interval.Found), Values(interval => interval.NotFound),
                Values(interval => interval.Temporary), Values(interval => interval.Permanent));

            long[] Values(Func<Tally, long> value) => [.. Enumerable.Range(0, count).Select(at => value(kept[(first + at) % size]))];
        }
    }
}
