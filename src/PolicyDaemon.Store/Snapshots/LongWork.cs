namespace PolicyDaemon.Store.Snapshots;

/// <summary>Work of seconds, on a thread of its own: policyd has one for all short work, and a change must not wait for a free one.</summary>
internal static class LongWork
{
    /// <returns>Ends with what the work returns, or with its exception.</returns>
    internal static Task<T> Start<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
}
