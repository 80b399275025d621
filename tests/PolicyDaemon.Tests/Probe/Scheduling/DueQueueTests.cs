using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Scheduling;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Scheduling;

public sealed class DueQueueTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly NextHop One = NextHop.Parse("one.example"), Two = NextHop.Parse("two.example");

    private readonly DueQueue dueQueue = new();

    [Fact]
    public void What_is_due_first_is_taken_first_and_once()
    {
        dueQueue.Set(One, Now.AddMinutes(2), ProbeReason.Scheduled);
        dueQueue.Set(Two, Now.AddMinutes(1), ProbeReason.Scheduled);

        Assert.Equal(Now.AddMinutes(1), dueQueue.Next());
        Assert.False(dueQueue.TryTake(Now, out _, out _));
        Assert.True(dueQueue.TryTake(Now.AddHours(1), out var first, out _));
        Assert.True(dueQueue.TryTake(Now.AddHours(1), out var second, out _));
        Assert.False(dueQueue.TryTake(Now.AddHours(1), out _, out _));
        Assert.Equal([Two, One], [first, second]);
    }

    [Fact]
    public void Hastening_moves_forward_and_never_back()
    {
        dueQueue.Set(One, Now.AddHours(1), ProbeReason.Scheduled);

        Assert.True(dueQueue.Hasten(One, Now, ProbeReason.Lookup));
        Assert.False(dueQueue.Hasten(One, Now.AddMinutes(1), ProbeReason.Person));
        Assert.True(dueQueue.Hasten(One, Now, ProbeReason.Person));
        Assert.True(dueQueue.Hasten(Two, Now.AddMinutes(2), ProbeReason.Lookup));
        Assert.True(dueQueue.TryTake(Now, out _, out var reason));
        Assert.Equal(ProbeReason.Person, reason);
        Assert.Equal(Now.AddMinutes(2), dueQueue.Next());
    }

    [Fact]
    public void A_key_that_is_set_again_and_again_does_not_pile_up()
    {
        for (var i = 0; i < 100_000; i++)
            dueQueue.Set(One, Now.AddSeconds(-i), ProbeReason.Scheduled);

        Assert.Equal(1, dueQueue.Count);
        Assert.Equal(Now.AddSeconds(-99_999), dueQueue.Next());
        Assert.True(dueQueue.TryTake(Now, out _, out _));
        Assert.False(dueQueue.TryTake(Now, out _, out _));
    }
}
