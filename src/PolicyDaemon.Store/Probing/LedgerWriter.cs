using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Json;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Probing;

/// <summary>Group commit: one thread writes whatever is queued in one transaction, so that many probes share one wait for the disk.</summary>
/// <remarks>A piece of work that fails by itself is taken back alone. Where the store fails, everything of the transaction fails, nothing
/// of it is written, and the next transaction begins with a new connection.</remarks>
internal sealed class LedgerWriter(StoreEngine engine, TimeProvider time, TimeSpan? patience, HistoryCache cache) : IDisposable
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
    private readonly KeptSession kept = new(engine, patience);
    private WriteSession? session;

    /// <returns>A task that ends when the work is durable, and fails with <see cref="LedgerUnavailableException"/> where the store cannot be written.</returns>
    /// <param name="lease">The take of the lease that the work rests on; null where it rests on none.</param>
    internal Task WriteAsync(Action<WriteSession> work, LeaseToken? lease = null)
    {
        var item = new Item(work, lease);
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

    /// <summary>Writes what is queued, then ends.</summary>
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
        kept.Close();
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
            if (kept.Renew())
            {
                cache.Clear();
                session = new WriteSession(kept.Current!, cache);
            }

            session!.Begin(time.GetUtcNow());
            // As long as the transaction, no other take comes in between.
            var deposed = batch.Select(item => item.Lease).OfType<LeaseToken>().Distinct().Where(lease => !kept.Current!.HoldsLease(lease)).ToList();
            foreach (var item in batch)
            {
                if (item.Lease is { } lease && deposed.Contains(lease))
                    item.Failure = ProbeLedger.Deposed(engine.Path);
                else
                    Do(session, item);
            }

            session.Commit();
        }
        // Whatever it is, the callers get it; the thread goes on with the next transaction.
#pragma warning disable CA1031
        catch (Exception error)
#pragma warning restore CA1031
        {
            var failure = LedgerFaults.From(error, engine.Path, kept.Current);
            kept.Close();
            cache.Clear();
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

    /// <summary>Does one piece of work. Throws errors of the device or a lock, which concern the whole transaction; any other is the piece's own.</summary>
    private void Do(WriteSession into, Item item)
    {
        try
        {
            into.Do(item.Work);
        }
        catch (DbException error) when (!kept.Current!.IsOfRow(error))
        {
            throw;
        }
        // Handed to the caller, which knows what it asked for.
#pragma warning disable CA1031
        catch (Exception error)
#pragma warning restore CA1031
        {
            item.Failure = LedgerFaults.From(error, engine.Path, kept.Current);
        }
    }

    private sealed class Item(Action<WriteSession> work, LeaseToken? lease)
    {
        public LeaseToken? Lease { get; } = lease;

        public Action<WriteSession> Work { get; } = work;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Exception? Failure { get; set; }
    }
}

/// <summary>Says what an error means for the prober.</summary>
internal static class LedgerFaults
{
    /// <param name="session">The session that met it; null where it could not be opened.</param>
    internal static Exception From(Exception error, string path, StoreSession? session) => error switch
    {
        LedgerUnavailableException known => known,
        DbException database => new LedgerUnavailableException(session?.FaultOf(database).Message ?? $"{path}: {database.Message}", database),
        StoreException store => new LedgerUnavailableException(store.Message, store),
        IOException or UnauthorizedAccessException => new LedgerUnavailableException($"{path}: {error.Message}", error),
        FormatException or JsonException => new LedgerUnavailableException(
            $"{path}: what is remembered cannot be read: {error.Message}; restore a backup", error),
        _ => error,
    };
}
