using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Lookup.Answering;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Answering;

public sealed class LogGateTests
{
    private readonly FakeTimeProvider time = new();
    private readonly LogGate gate;

    public LogGateTests() => gate = new LogGate(time);

    [Fact]
    public void The_first_line_passes_and_says_what_the_next_ones_held_back()
    {
        Assert.True(gate.TryPass(out var suppressed));
        Assert.Equal(0, suppressed);
        for (var i = 0; i < 100; i++)
            Assert.False(gate.TryPass(out _));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(gate.TryPass(out suppressed));
        Assert.Equal(100, suppressed);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(11)]
    [InlineData(601)]
    public void A_peer_that_never_stops_causes_a_bounded_number_of_lines_a_day(double seconds)
    {
        var (lines, told, asked) = (0, 0L, 0);
        var end = time.GetUtcNow() + TimeSpan.FromDays(1);
        for (; time.GetUtcNow() < end; time.Advance(TimeSpan.FromSeconds(seconds)))
        {
            asked++;
            if (!gate.TryPass(out var suppressed))
                continue;
            lines++;
            told += suppressed + 1;
        }

        Assert.InRange(lines, 100, 151);
        time.Advance(TimeSpan.FromHours(1));
        Assert.True(gate.TryPass(out var rest));
        Assert.Equal(asked, told + rest);
    }
}
