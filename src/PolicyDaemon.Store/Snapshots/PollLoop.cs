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
            await LongWork.Start(() => Follow(engine, interval, options, poll, stop));
            return;
        }

        using var timer = new PeriodicTimer(options.PollInterval, time);
        while (await timer.WaitForNextTickAsync(stop))
            poll();
    }

    /// <summary>Polls on a thread of its own, since a server may let it wait.</summary>
    private static bool Follow(StoreEngine engine, TimeSpan interval, SnapshotLoaderOptions options, Action poll, CancellationToken stop)
    {
        using var news = options.Notify ? engine.Listen() : null;
        WaitHandle[] wakes = news is null ? [stop.WaitHandle] : [stop.WaitHandle, news.Came];
        // From four fifths of it to six.
        while (WaitHandle.WaitAny(wakes, interval * (0.8 + (0.4 * options.Jitter.NextDouble()))) != 0)
            poll();
        return true;
    }
}
