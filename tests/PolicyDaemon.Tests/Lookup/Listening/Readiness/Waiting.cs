using System.Buffers;
using System.IO.Pipelines;
using PolicyDaemon.Lookup.Listening.Readiness;
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

    /// <summary>Serves one end of a pair on the loop's thread, as all connections are.</summary>
    public static Task ServeAsync(this ReadinessLoop loop, SocketPair pair, Func<ReadinessTransport, Task> serve)
    {
        var descriptor = pair.TakeNear();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() => _ = RunAsync());
        return done.Task.Soon();

        async Task RunAsync()
        {
            try
            {
                using var transport = new ReadinessTransport(loop, descriptor);
                await serve(transport);
                done.SetResult();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        }
    }

    /// <summary>Reads all that is there and consumes it; empty at the end.</summary>
    public static async Task<byte[]> ReadAllAsync(this PipeReader reader)
    {
        var read = await reader.ReadAsync(TestContext.Current.CancellationToken);
        var octets = read.Buffer.ToArray();
        reader.AdvanceTo(read.Buffer.End);
        return octets;
    }

    public static ValueTask<FlushResult> SendAsync(this PipeWriter writer, ReadOnlySpan<byte> octets)
    {
        octets.CopyTo(writer.GetSpan(octets.Length));
        writer.Advance(octets.Length);
        return writer.FlushAsync(TestContext.Current.CancellationToken);
    }
}
