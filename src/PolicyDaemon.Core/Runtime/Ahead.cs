using System.Collections.Concurrent;

namespace PolicyDaemon.Administration.Changes;

/// <summary>Makes items on a thread of its own while the caller's thread uses those before them, in their order.</summary>
internal static class Ahead
{
    // Handed over so many at a time: one by one the handing over took as long as the work.
    private const int AtOnce = 64;
    private const int MostWaiting = 4;

    /// <summary>Uses every item. Ends, or throws what making or using an item throws, when the other thread has ended, too.</summary>
    /// <param name="items">Enumerated on the other thread, as far as they are used.</param>
    /// <param name="use">Called on this one.</param>
    internal static void Run<T>(IEnumerable<T> items, Action<T> use)
    {
        using var waiting = new BlockingCollection<T[]>(MostWaiting);
        using var abandoned = new CancellationTokenSource();
        // A thread and not the pool's: it takes over the priority of this one.
        var making = Task.Factory.StartNew(
            () => Make(items, waiting, abandoned.Token), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        try
        {
            foreach (var item in waiting.GetConsumingEnumerable().SelectMany(some => some))
                use(item);
        }
        catch
        {
            abandoned.Cancel();
            ((IAsyncResult)making).AsyncWaitHandle.WaitOne();
            throw;
        }

        making.GetAwaiter().GetResult();
    }

    private static void Make<T>(IEnumerable<T> items, BlockingCollection<T[]> waiting, CancellationToken abandoned)
    {
        try
        {
            foreach (var some in items.Chunk(AtOnce))
                waiting.Add(some, abandoned);
        }
        finally
        {
            waiting.CompleteAdding();
        }
    }
}
