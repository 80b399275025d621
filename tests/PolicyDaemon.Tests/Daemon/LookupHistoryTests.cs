using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Daemon;
using PolicyDaemon.Lookup.Answering;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

public sealed class LookupHistoryTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider time = new(Start);
    private readonly LookupCounters counters = new();
    private readonly LookupHistory history;
    private readonly LookupService service;

    public LookupHistoryTests()
    {
        history = new LookupHistory(time);
        service = new LookupService(
            new NoSnapshot(), PostfixSettings.Default, new LookupDemand(), counters, NullLogger<LookupService>.Instance, time);
    }

    [Fact]
    public void Each_second_has_what_was_counted_in_it()
    {
        Ask(3);
        Pass(1);
        Ask(1);
        Pass(1);

        Assert.Equal([3, 1], history.Seconds.Temporary);
        Assert.Equal([0, 0], history.Seconds.Found);
        Assert.Equal((Start, 1), (history.Seconds.Start, history.Seconds.Step));
        Assert.Empty(history.Minutes.Temporary);
    }

    [Fact]
    public void A_turn_that_comes_late_makes_no_peak_and_loses_nothing()
    {
        Ask(7);
        Pass(3);

        Assert.Equal([2, 2, 3], history.Seconds.Temporary);
    }

    [Fact]
    public void Two_turns_in_a_second_count_once()
    {
        Ask(2);
        history.Take(counters);
        Pass(1);
        history.Take(counters);

        Assert.Equal([2], history.Seconds.Temporary);
    }

    [Fact]
    public void A_minute_has_the_sum_of_its_seconds_and_begins_where_they_began()
    {
        for (var second = 0; second < 130; second++)
        {
            Ask(1);
            Pass(1);
        }

        Assert.Equal([60, 60], history.Minutes.Temporary);
        Assert.Equal((Start, 60), (history.Minutes.Start, history.Minutes.Step));
    }

    [Fact]
    public void What_is_older_than_five_minutes_or_a_day_makes_way()
    {
        Ask(1);
        Pass(1);
        Pass(43_230);
        Pass(43_230);
        Ask(5);
        Pass(1);

        Assert.Equal((300, 1440), (history.Seconds.Temporary.Count, history.Minutes.Temporary.Count));
        Assert.Equal((5, 0), (history.Seconds.Temporary[^1], history.Minutes.Temporary.Sum()));
        Assert.Equal(time.GetUtcNow().AddSeconds(-300), history.Seconds.Start);
    }

    [Fact]
    public void Years_without_a_turn_take_no_longer_than_a_day()
    {
        Ask(86_400);
        Pass(3650 * 86_400L);

        Assert.Equal(1440 * 60, history.Minutes.Temporary.Sum());
    }

    private void Ask(int count)
    {
        for (; count > 0; count--)
            service.Answer("tlspolicy"u8, Encoding.ASCII.GetBytes("a.example"));
    }

    private void Pass(long seconds)
    {
        time.Advance(TimeSpan.FromSeconds(seconds));
        history.Take(counters);
    }

    private sealed class NoSnapshot : ICurrentSnapshot
    {
        public PolicySnapshot? Current => null;
    }
}
