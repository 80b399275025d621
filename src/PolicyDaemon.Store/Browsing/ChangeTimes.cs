using System.Data.Common;
using Dapper;

namespace PolicyDaemon.Store.Browsing;

/// <summary>How many changes were made on each day.</summary>
internal static class ChangeTimes
{
    private const long SecondsOfDay = 24 * 60 * 60;

    /// <summary>Counts of the last days, the oldest first; the last one is today's.</summary>
    /// <remarks>Changes are numbered without a gap in the order in which they were made, so that a search by halves finds where a day begins, and nothing
    /// is counted one by one. A clock that was set back puts what was made meanwhile on a neighbouring day.</remarks>
    internal static List<long> PerDay(DbConnection connection, DateTimeOffset now, int days)
    {
        var newest = connection.ExecuteScalar<long>("SELECT coalesce(max(id), 0) FROM change");
        var tomorrow = ((now.ToUnixTimeSeconds() / SecondsOfDay) + 1) * SecondsOfDay;
        var counts = new List<long>(days);
        var end = newest + 1;
        for (var day = 1; day <= days; day++)
        {
            var begin = FirstSince(connection, tomorrow - (day * SecondsOfDay), end);
            counts.Add(end - begin);
            end = begin;
        }

        counts.Reverse();
        return counts;
    }

    /// <summary>The first change made at or after a time, among those before <paramref name="end"/>; that where there is none.</summary>
    private static long FirstSince(DbConnection connection, long time, long end)
    {
        // From the end backwards in growing steps: most days have few.
        long step = 1;
        var high = end;
        var low = end;
        while (low > 1 && TimeOf(connection, low - 1) >= time)
        {
            high = low - 1;
            low = Math.Max(1, low - step);
            step *= 2;
            if (TimeOf(connection, low) < time)
                break;
            high = low;
        }

        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (TimeOf(connection, middle) >= time)
                high = middle;
            else
                low = middle + 1;
        }

        return high;
    }

    private static long TimeOf(DbConnection connection, long id) =>
        connection.ExecuteScalar<long?>("SELECT time FROM change WHERE id >= @id ORDER BY id LIMIT 1", new { id }) ?? long.MaxValue;
}
