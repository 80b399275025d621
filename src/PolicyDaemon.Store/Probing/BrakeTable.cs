using System.Data.Common;
using Dapper;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Probing;

/// <summary>The MX hosts of pinned destinations, as the brake counts them and draws from them. For one thread at a time.</summary>
/// <remarks>It is asked at every probe, and a store may have a million destinations: what takes long to count is counted for a part of
/// the time only, and is a moment old in between.</remarks>
internal sealed class BrakeTable(DbConnection connection, TimeProvider time)
{
    private const int CountingShare = 20;

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly string Secured = ProbeOutcome.Secured.Name();

    // Of mx_target l: mail goes there now, to a destination with pins, at a level that is probed.
    private static readonly string IsPinned =
        $"""
        l.last_listed IS NULL AND EXISTS (
            SELECT 1 FROM pin p JOIN destination d ON d.id = p.destination_id
            WHERE p.destination_id = l.destination_id AND ({PinStates.Served}) AND {ProbedLevels.Condition})
        """;

    private readonly ProberTable prober = new(connection);
    private Costly hosts;
    private Costly ofDay;
    private Costly usual;

    internal BrakeCounts Read(DateTimeOffset now, int least)
    {
        var counts = new BrakeCounts
        {
            PinnedHosts = hosts.Get(PinnedHosts, time),
            NewInHour = New(now - Brake.Hour),
            NewInDay = ofDay.Get(() => New(now - Day), time),
            SetAt = prober.BrakeSetAt(),
        };
        if (counts.NewInDay < counts.NewInHour)
            counts = counts with { NewInDay = counts.NewInHour };
        if (counts.NewInHour >= least)
            counts = counts with { Probed = ProbedSince(First(now - Brake.Hour) ?? now) };
        return counts.NewInDay >= least ? counts with { UsualDay = usual.Get(() => UsualDay(now, counts.PinnedHosts), time) } : counts;
    }

    /// <summary>A destination behind each of some hosts.</summary>
    internal List<NextHop> Sample(int size, Random random)
    {
        // A reservoir: each host is as likely as another, and a million of them take no memory.
        var drawn = new List<string>(size);
        var seen = 0L;
        foreach (var host in connection.Query<string>("SELECT DISTINCT l.mx_host FROM mx_target l WHERE " + IsPinned, buffered: false))
        {
            seen++;
            if (drawn.Count < size)
                drawn.Add(host);
            else if (random.NextInt64(seen) is var place && place < size)
                drawn[(int)place] = host;
        }

        var order = drawn.ToArray();
        random.Shuffle(order);
        return [.. order.Select(Behind).OfType<NextHop>()];
    }

    private NextHop? Behind(string host)
    {
        var key = connection.QueryFirstOrDefault<string>(
            "SELECT o.key FROM mx_target l JOIN destination o ON o.id = l.destination_id WHERE l.mx_host = @host AND " + IsPinned + " LIMIT 1", new { host });
        return key is not null && NextHop.TryParse(key, out var parsed, out _) ? parsed : null;
    }

    private int PinnedHosts() => (int)connection.ExecuteScalar<long>("SELECT count(DISTINCT l.mx_host) FROM mx_target l WHERE " + IsPinned);

    private int New(DateTimeOffset since) => (int)connection.ExecuteScalar<long>(
        "SELECT count(DISTINCT mx_host) FROM new_key WHERE since >= @since", new { since = since.Seconds() });

    private DateTimeOffset? First(DateTimeOffset since) =>
        connection.ExecuteScalar<long?>("SELECT min(since) FROM new_key WHERE since >= @since", new { since = since.Seconds() })?.Time();

    private int ProbedSince(DateTimeOffset since) => (int)connection.ExecuteScalar<long>(
        """
        SELECT count(DISTINCT l.mx_host) FROM probe_target t JOIN mx_target l ON l.probe_target_id = t.id
        WHERE t.last_attempt >= @since AND t.last_outcome = @Secured AND
        """ + " " + IsPinned,
        new { since = since.Seconds(), Secured });

    private int UsualDay(DateTimeOffset now, int pinnedHosts)
    {
        var created = connection.ExecuteScalar<long>("SELECT created FROM store WHERE id = 1").Time();
        var days = connection.Query<DayRow>(
            """
            SELECT (@present - since) / @day AS day, count(DISTINCT mx_host) AS hosts FROM new_key
            WHERE since >= @from AND since < @until GROUP BY day
            """,
            new { present = now.Seconds(), day = (long)Day.TotalSeconds, from = (now - (Day * (BrakeCounts.Days + 1))).Seconds(), until = (now - Day).Seconds() })
            .ToDictionary(row => row.Day, row => (int)row.Hosts);
        var counted = (int)Math.Clamp((now - created).TotalDays - 1, 0, BrakeCounts.Days);
        return BrakeCounts.Usual([.. Enumerable.Range(1, counted).Select(day => days.GetValueOrDefault(day))], pinnedHosts);
    }

    internal sealed record DayRow(long Day, long Hosts);

    /// <summary>A number that is counted anew once the time since is so many times what counting it took.</summary>
    private struct Costly
    {
        private (int Count, long At, TimeSpan Took)? known;

        internal int Get(Func<int> count, TimeProvider time)
        {
            if (known is { } before && time.GetElapsedTime(before.At) < before.Took * CountingShare)
                return before.Count;
            var started = time.GetTimestamp();
            var number = count();
            var took = time.GetElapsedTime(started);
            // What is counted in a moment is always counted.
            known = (number, started, took < TimeSpan.FromMilliseconds(1) ? TimeSpan.Zero : took);
            return number;
        }
    }
}
