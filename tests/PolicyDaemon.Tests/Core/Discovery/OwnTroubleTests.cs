using PolicyDaemon.Core.Discovery;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

public sealed class OwnTroubleTests
{
    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(19, 0, false)] // too few to tell
    [InlineData(20, 0, true)]
    [InlineData(11, 9, true)]
    [InlineData(10, 10, false)] // half is not more than half
    [InlineData(300, 299, true)]
    public void More_than_half_of_at_least_20_is_our_own_trouble(int failed, int worked, bool isTrouble)
    {
        var trouble = new OwnTrouble("lookups");
        for (var i = 0; i < failed; i++)
            trouble.Note(true, 1000);
        for (var i = 0; i < worked; i++)
            trouble.Note(false, 1000);

        Assert.Equal(isTrouble, trouble.Trouble(1000) is not null);
        if (isTrouble)
            Assert.StartsWith($"{failed} of {failed + worked} lookups failed", trouble.Trouble(1000), StringComparison.Ordinal);
    }

    [Fact]
    public void Fifteen_minutes_count_wherever_they_begin()
    {
        var trouble = new OwnTrouble("lookups");
        for (var minute = 0L; minute < 10; minute++)
        {
            trouble.Note(true, minute);
            trouble.Note(true, minute);
        }

        Assert.NotNull(trouble.Trouble(9));
        Assert.NotNull(trouble.Trouble(14)); // minutes 0 to 14
        Assert.Null(trouble.Trouble(15));
        for (var i = 0; i < 100; i++)
            trouble.Note(false, 15);
        trouble.Note(true, 31);
        Assert.Null(trouble.Trouble(31));
        Assert.Null(trouble.Trouble(0)); // nothing of the future counts
    }
}
