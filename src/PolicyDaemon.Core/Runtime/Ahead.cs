using System.Collections.Concurrent;

namespace PolicyDaemon.Core.Runtime;

/// <summary>Makes items on a thread of its own while the caller's thread uses those before them, in their order.</summary>
public static class Ahead
{
    // Handed over so many at a time: one by one the handing over took as long as the work.
    private const int AtOnce = 64;
    private const int MostWaiting = 4;

    /// <summary>The items, made ahead of who enumerates them.</summary>
    /// <remarks>The enumeration ends, or throws what making an item throws, when the other thread has ended, too.</remarks>
    /// <param name="items">Enumerated on the other thread, as far as they are used.</param>
    public static IEnumerable<T> Of<T>(IEnumerable<T> items)
    {
        using var waiting = new BlockingCollection<T[]>(MostWaiting);
        using var abandoned = new CancellationTokenSource();
        // A thread and not the pool's: it takes over the priority of this one.
        var making = Task.Factory.StartNew(
            () => Make(items, waiting, abandoned.Token), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        try
        {
            foreach (var some in waiting.GetConsumingEnumerable())
            {
                foreach (var item in some)
                    yield return item;
            }

            making.GetAwaiter().GetResult();
        }
        finally
        {
            abandoned.Cancel();
            ((IAsyncResult)making).AsyncWaitHandle.WaitOne();
        }
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
