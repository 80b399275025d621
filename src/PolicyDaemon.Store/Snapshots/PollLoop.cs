using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Asks the store again and again whether it changed.</summary>
internal static class PollLoop
{
    /// <summary>Runs until cancelled.</summary>
    /// <param name="poll">Never throws.</param>
    internal static async Task RunAsync(StoreEngine engine, SnapshotLoaderOptions options, TimeProvider time, Action poll, CancellationToken stop)
    {
        if (engine.PollInterval is { } interval)
        {
            await LongWork.Start(() => Follow(interval, options.Jitter, poll, stop));
            return;
        }

        using var timer = new PeriodicTimer(options.PollInterval, time);
        while (await timer.WaitForNextTickAsync(stop))
            poll();
    }

    /// <summary>Polls on a thread of its own, since a server may let it wait.</summary>
    private static bool Follow(TimeSpan interval, Random jitter, Action poll, CancellationToken stop)
    {
        // From four fifths of it to six.
        while (!stop.WaitHandle.WaitOne(interval * (0.8 + (0.4 * jitter.NextDouble()))))
            poll();
        return true;
    }
}
