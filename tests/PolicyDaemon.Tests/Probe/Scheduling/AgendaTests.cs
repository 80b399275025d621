using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Probe.Scheduling;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Scheduling;

public sealed class AgendaTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly NextHop One = NextHop.Parse("one.example"), Two = NextHop.Parse("two.example");

    private readonly Agenda agenda = new();

    [Fact]
    public void What_is_due_first_is_taken_first_and_once()
    {
        agenda.Set(One, Now.AddMinutes(2), ProbeReason.Scheduled);
        agenda.Set(Two, Now.AddMinutes(1), ProbeReason.Scheduled);

        Assert.Equal(Now.AddMinutes(1), agenda.Next());
        Assert.False(agenda.TryTake(Now, out _, out _));
        Assert.True(agenda.TryTake(Now.AddHours(1), out var first, out _));
        Assert.True(agenda.TryTake(Now.AddHours(1), out var second, out _));
        Assert.False(agenda.TryTake(Now.AddHours(1), out _, out _));
        Assert.Equal([Two, One], [first, second]);
    }

    [Fact]
    public void Hastening_moves_forward_and_never_back()
    {
        agenda.Set(One, Now.AddHours(1), ProbeReason.Scheduled);

        Assert.True(agenda.Hasten(One, Now, ProbeReason.Lookup));
        Assert.False(agenda.Hasten(One, Now.AddMinutes(1), ProbeReason.Person));
        Assert.True(agenda.Hasten(One, Now, ProbeReason.Person));
        Assert.True(agenda.Hasten(Two, Now.AddMinutes(2), ProbeReason.Lookup));
        Assert.True(agenda.TryTake(Now, out _, out var reason));
        Assert.Equal(ProbeReason.Person, reason);
        Assert.Equal(Now.AddMinutes(2), agenda.Next());
    }

    [Fact]
    public void A_key_that_is_set_again_and_again_does_not_pile_up()
    {
        for (var i = 0; i < 100_000; i++)
            agenda.Set(One, Now.AddSeconds(-i), ProbeReason.Scheduled);

        Assert.Equal(1, agenda.Count);
        Assert.Equal(Now.AddSeconds(-99_999), agenda.Next());
        Assert.True(agenda.TryTake(Now, out _, out _));
        Assert.False(agenda.TryTake(Now, out _, out _));
    }
}
