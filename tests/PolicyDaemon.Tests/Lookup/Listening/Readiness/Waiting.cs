using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening.Readiness;

/// <summary>Reads, writes and waits with a generous deadline, so that what never ends is a failed test.</summary>
internal static class Waiting
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    public static async Task Soon(this Task task)
    {
        await Ended(task);
        await task;
    }

    public static async Task<T> Soon<T>(this Task<T> task)
    {
        await Ended(task);
        return await task;
    }

    /// <summary>Waits until the task ended, well or not.</summary>
    public static async Task Ended(this Task task)
    {
        await task.WaitAsync(Deadline, TestContext.Current.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // A test that went on where the task ended would block the loop's thread with its own calls.
        await Task.Yield();
        Assert.True(task.IsCompleted);
    }

    public static Task<int> StartRead(this Stream stream, byte[] buffer) =>
        stream.ReadAsync(buffer, TestContext.Current.CancellationToken).AsTask();

    public static Task StartWrite(this Stream stream, ReadOnlyMemory<byte> octets) =>
        stream.WriteAsync(octets, TestContext.Current.CancellationToken).AsTask();
}
