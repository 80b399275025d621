using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

public sealed class BrakeTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1000, 100, 4, false)]
    [InlineData(1000, 100, 5, false)]
    [InlineData(1000, 100, 10, false)]
    [InlineData(1000, 100, 11, true)]
    [InlineData(1000, 300, 30, false)]
    [InlineData(1000, 300, 31, true)]
    [InlineData(20, 3, 4, false)]
    [InlineData(20, 20, 5, true)]
    [InlineData(1000, 8, 8, false)] // all hosts of one operator, before anybody else was probed
    public void It_trips_on_more_than_a_tenth_of_the_hosts_probed_within_an_hour_and_at_least_five(int all, int probed, int fresh, bool on) =>
        Assert.Equal(on, Of(all, probed, fresh, fresh, usual: 100).IsOn);

    [Theory]
    [InlineData(10, 30, false)]
    [InlineData(10, 31, true)]
    [InlineData(0, 4, false)]
    [InlineData(0, 5, true)]
    public void It_trips_on_more_than_three_times_the_usual_day_and_at_least_five(int usual, int ofDay, bool on) =>
        Assert.Equal(on, Of(1000, 500, 1, ofDay, usual).IsOn);

    [Fact]
    public void It_stays_set_for_a_day_whatever_is_counted_then()
    {
        var brake = Of(1000, 500, 0, 0, 10, setAt: Now);

        Assert.True(brake.IsOn);
        Assert.True((brake with { Now = Now.AddHours(23) }).IsOn);
        Assert.False((brake with { Now = Now.AddHours(24) }).IsOn);
        Assert.False(brake.IsNews);
        Assert.True(Of(1000, 100, 11, 11, 10).IsNews);
        Assert.False(Of(1000, 100, 11, 11, 10, setAt: Now.AddHours(-1)).IsNews);
        Assert.True(Of(1000, 100, 11, 11, 10, setAt: Now.AddHours(-25)).IsNews);
    }

    [Fact]
    public void The_usual_day_is_that_of_the_week_and_assumed_where_nobody_counted()
    {
        Assert.Equal(22, BrakeCounts.Usual([], 500));
        Assert.Equal(14, BrakeCounts.Usual([.. Enumerable.Range(0, 28).Select(day => day % 7 < 5 ? 14 : 1)], 500));
        Assert.Equal(30, BrakeCounts.Usual([.. Enumerable.Range(0, 28).Select(day => day % 7 == 0 ? 30 : day % 7 < 5 ? 14 : 1)], 500));
        // One bad day does not make the next one usual.
        Assert.Equal(14, BrakeCounts.Usual([.. Enumerable.Range(0, 28).Select(day => day == 3 ? 400 : day % 7 < 5 ? 14 : 1)], 500));
    }

    private static Brake Of(int all, int probed, int inHour, int inDay, int usual, DateTimeOffset? setAt = null) => new(
        new BrakeCounts { PinnedHosts = all, Probed = probed, NewInHour = inHour, NewInDay = inDay, UsualDay = usual, SetAt = setAt }, null, Now);
}
