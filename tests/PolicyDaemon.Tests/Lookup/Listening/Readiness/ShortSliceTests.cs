using PolicyDaemon.Lookup.Listening.Readiness;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening.Readiness;

public sealed class ShortSliceTests
{
    // Before, the kernel knew no slice of a thread's own.
    private static readonly Version FirstKernel = new(6, 12);

    [Fact]
    public void A_thread_asks_for_itself_and_threads_that_it_starts_do_not_inherit()
    {
        var isKnown = Environment.OSVersion.Version >= FirstKernel;
        var (isGranted, own, inherited) = (false, 0UL, 0UL);
        var asking = new Thread(() =>
        {
            isGranted = ShortSlice.TryAsk();
            own = Slice();
            var child = new Thread(() => inherited = Slice());
            child.Start();
            child.Join();
        });
        asking.Start();
        asking.Join();

        Assert.True(isGranted);
        Assert.Equal(isKnown ? ShortSlice.Nanoseconds : 0, own);
        Assert.NotEqual(ShortSlice.Nanoseconds, inherited);

        static ulong Slice() => ShortSlice.TryRead(out var attributes) ? attributes.Runtime : 0;
    }
}
