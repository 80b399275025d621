using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Probe.Destinations;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Destinations;

public sealed class TroubleWatchTests
{
    private const int All = 500;

    private readonly TroubleWatch watch = new(new FakeTimeProvider());

    /// <summary>Fewer than an eighth of all fail, one after the other in the first pass and among others in the next: nothing has changed.</summary>
    [Fact]
    public void What_began_with_many_in_a_row_does_not_end_while_as_many_fail()
    {
        Add(0..55, failed: true);
        Assert.True(watch.IsOn);

        Add(55..All, failed: false);
        Assert.True(watch.IsOn);
        for (var i = 0; i < 55; i++)
        {
            Add(i..(i + 1), failed: true);
            Add((100 + i)..(101 + i), failed: false);
            Assert.True(watch.IsOn);
        }

        Assert.Equal(55, watch.Count);
    }

    [Fact]
    public void It_ends_when_most_of_those_that_came_with_it_work_again()
    {
        Add(0..55, failed: true);
        Add(0..27, failed: false);
        Assert.True(watch.IsOn);
        Add(27..28, failed: false);

        Assert.False(watch.IsOn);
    }

    [Fact]
    public void What_an_earlier_run_left_stays_until_enough_is_known()
    {
        watch.Resume();
        Add(0..3, failed: true);
        Add(100..104, failed: false);
        Assert.True(watch.IsOn);
        Assert.True(watch.IsResumed);

        Add(104..105, failed: false);
        Assert.True(watch.IsOn);
        Assert.False(watch.IsResumed);
        Add(0..2, failed: false);
        Assert.False(watch.IsOn);
    }

    [Fact]
    public void What_an_earlier_run_left_ends_when_what_is_tried_works()
    {
        watch.Resume();
        Add(0..4, failed: false);
        Assert.True(watch.IsOn);
        Add(0..1, failed: false);
        Assert.True(watch.IsOn);
        Add(4..5, failed: false);

        Assert.False(watch.IsOn);
    }

    /// <summary>Of many destinations some always fail, and these are more than half of what one outage adds.</summary>
    [Fact]
    public void Those_that_always_fail_do_not_keep_it()
    {
        for (var i = 0; i < 1000; i++)
        {
            watch.Add(Key(i), failed: true, 100_000);
            watch.Add(Key(50_000 + i), failed: false, 100_000);
        }

        Assert.False(watch.IsOn);
        for (var i = 2000; i < 2060; i++)
            watch.Add(Key(i), failed: true, 100_000);
        Assert.True(watch.IsOn);
        for (var i = 2000; i < 2040; i++)
            watch.Add(Key(i), failed: false, 100_000);

        Assert.False(watch.IsOn);
    }

    private void Add(Range range, bool failed)
    {
        for (var i = range.Start.Value; i < (range.End.IsFromEnd ? All : range.End.Value); i++)
            watch.Add(Key(i), failed, All);
    }

    private static NextHop Key(int number) => NextHop.Parse(string.Create(CultureInfo.InvariantCulture, $"d{number}.example"));
}
