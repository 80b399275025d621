using PolicyDaemon.Core.Runtime;
using Xunit;

namespace PolicyDaemon.Tests.Core.Runtime;

public class AheadTests
{
    private const int Many = 5_000;

    [Fact]
    public void Items_are_used_in_their_order_on_the_callers_thread_and_made_on_another()
    {
        var used = new List<int>();
        var user = Environment.CurrentManagedThreadId;
        var maker = 0;

        foreach (var item in Ahead.Of(Made()))
        {
            used.Add(item);
            Assert.Equal(user, Environment.CurrentManagedThreadId);
        }

        Assert.Equal(Enumerable.Range(0, Many), used);
        Assert.NotEqual(user, maker);

        IEnumerable<int> Made()
        {
            maker = Environment.CurrentManagedThreadId;
            for (var item = 0; item < Many; item++)
                yield return item;
        }
    }

    [Fact]
    public void What_making_an_item_throws_is_thrown_as_it_is_once_all_before_it_are_handed_over()
    {
        var used = 0;

        Assert.Throws<FormatException>(() =>
        {
            foreach (var item in Ahead.Of(Made()))
                used++;
        });

        Assert.InRange(used, Many - 1_000, Many);

        static IEnumerable<int> Made()
        {
            for (var item = 0; item < Many; item++)
                yield return item;
            throw new FormatException();
        }
    }

    [Fact]
    public void Where_the_enumeration_is_left_making_has_ended_then()
    {
        var isMaking = false;

        Assert.Throws<FormatException>(() =>
        {
            foreach (var item in Ahead.Of(Made()))
                throw new FormatException();
        });

        Assert.False(isMaking);

        IEnumerable<int> Made()
        {
            isMaking = true;
            try
            {
                for (var item = 0; ; item++)
                    yield return item;
            }
            finally
            {
                isMaking = false;
            }
        }
    }
}
