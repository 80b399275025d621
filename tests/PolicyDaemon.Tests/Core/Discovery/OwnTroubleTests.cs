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
            trouble.Note(true, minute);
        for (var minute = 15L; minute < 24; minute++)
            trouble.Note(true, minute);
        Assert.Null(trouble.Trouble(24)); // never 20 within 15 minutes

        for (var i = 0; i < 11; i++)
            trouble.Note(true, 24);
        Assert.NotNull(trouble.Trouble(24));
    }

    [Fact]
    public void Trouble_ends_when_something_works_or_when_nothing_was_tried_for_longer_than_any_retry()
    {
        var trouble = new OwnTrouble("lookups");
        for (var i = 0; i < 20; i++)
            trouble.Note(true, 1000);
        var text = trouble.Trouble(1000);
        Assert.NotNull(text);

        // Fewer are tried, and all of them fail: it is the same trouble.
        Assert.Equal(text, trouble.Trouble(1030));
        trouble.Note(true, 1060);
        Assert.Equal(text, trouble.Trouble(1060));
        trouble.Note(false, 1061);
        Assert.Null(trouble.Trouble(1061));
        trouble.Note(true, 1062);
        Assert.Null(trouble.Trouble(1062));

        for (var i = 0; i < 20; i++)
            trouble.Note(true, 2000);
        Assert.NotNull(trouble.Trouble(2074));
        Assert.Null(trouble.Trouble(2075));
    }
}
