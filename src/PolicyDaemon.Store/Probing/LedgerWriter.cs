using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Store.Probing;

/// <summary>Group commit: one thread takes whatever is queued into one transaction, so that many probes share one wait for the disk.</summary>
/// <remarks>A piece of work that fails by itself is taken back alone. Where the store fails, everything of the transaction fails, nothing
/// of it is written, and the next transaction begins with a new connection.</remarks>
internal sealed class LedgerWriter(string path, TimeProvider time, TimeSpan? patience, HistoryCache cache) : IDisposable
{
    private const int MaxBatch = 256;

    // Calls wait until they are durable, so no more can be queued than there are callers; this only bounds a mistake.
    private const int MaxQueued = 10_000;

    // Between two transactions the lock is free for at least so long: SQLite's waiters ask again in steps of up to 100 ms, and a
    // prober that never pauses would keep a person's command out.
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(2);

    private readonly BlockingCollection<Item> queue = new(MaxQueued);
    private readonly CancellationTokenSource stop = new();
    private readonly Lock gate = new();
    private Thread? thread;
    private bool isDisposed;
    private WriteSession? session;

    /// <summary>How many transactions were committed; a test shows with it that callers share them.</summary>
    internal long Commits { get; private set; }

    /// <returns>Done when it is durable; failed with <see cref="LedgerUnavailableException"/> where it could not be.</returns>
    internal Task WriteAsync(Action<WriteSession> work)
    {
        var item = new Item(work);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (thread is null)
            {
                thread = new Thread(Run) { IsBackground = true, Name = "probe ledger" };
                thread.Start();
            }
        }

        queue.Add(item);
        return item.Done.Task;
    }

    /// <summary>Ends after what is queued was written.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            // Whoever composes a program may dispose of it under each of its names.
            if (isDisposed)
                return;
            isDisposed = true;
            queue.CompleteAdding();
        }

        stop.Cancel();
        thread?.Join();
        session?.Dispose();
        queue.Dispose();
        stop.Dispose();
    }

    private void Run()
    {
        var batch = new List<Item>(MaxBatch);
        foreach (var first in queue.GetConsumingEnumerable())
        {
            batch.Add(first);
            while (batch.Count < MaxBatch && queue.TryTake(out var next))
                batch.Add(next);
            Write(batch);
            batch.Clear();
            stop.Token.WaitHandle.WaitOne(Breath);
        }
    }

    private void Write(List<Item> batch)
    {
        try
        {
            if (session is not null && FileSignature.Of(path) is var now && (now is null || !now.SameFile(session.Signature!)))
                Close();
            session ??= WriteSession.Open(path, patience, cache);
            session.Begin(time.GetUtcNow());
            foreach (var item in batch)
                Do(session, item);
            session.Commit();
            Commits++;
        }
        // Whatever it is, the callers get it; the thread goes on with the next transaction.
#pragma warning disable CA1031
        catch (Exception error)
#pragma warning restore CA1031
        {
            Close();
            var failure = LedgerFaults.From(error, path);
            foreach (var item in batch)
                item.Done.TrySetException(item.Failure ?? failure);
            return;
        }

        foreach (var item in batch)
        {
            if (item.Failure is null)
                item.Done.TrySetResult();
            else
                item.Done.TrySetException(item.Failure);
        }
    }

    /// <summary>An error of the device or a lock is everybody's; anything else is the item's own.</summary>
    private void Do(WriteSession into, Item item)
    {
        try
        {
            into.Do(item.Work);
        }
        catch (SqliteException error) when (error.SqliteErrorCode is not 19)
        {
            throw;
        }
        // Handed to the caller, which knows what it asked for.
#pragma warning disable CA1031
        catch (Exception error)
#pragma warning restore CA1031
        {
            item.Failure = LedgerFaults.From(error, path);
        }
    }

    private void Close()
    {
        var closing = session;
        session = null;
        cache.Clear();
        try
        {
            closing?.Dispose();
        }
        catch (SqliteException)
        {
            // What made it close has been said already; this thread has to go on, or its callers would wait for ever.
        }
    }

    private sealed class Item(Action<WriteSession> work)
    {
        public Action<WriteSession> Work { get; } = work;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Exception? Failure { get; set; }
    }
}
