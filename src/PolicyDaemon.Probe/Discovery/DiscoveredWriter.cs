using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;

namespace PolicyDaemon.Probe.Discovery;

/// <summary>Writes what was discovered: policies at once, so that one in force survives anything, verdicts with others a moment later.</summary>
/// <remarks>What cannot be written stays here and is tried again with the next batch. What is here is read from here.</remarks>
internal sealed class DiscoveredWriter : IAsyncDisposable
{
    private readonly IDiscoveredPolicies store;
    private readonly DiscovererOptions options;
    private readonly ILogger logger;
    private readonly ITimer timer;
    private readonly SemaphoreSlim writing = new(1);
    private readonly Dictionary<NextHop, List<DiscoveredEntry>> waiting = [];
    private Task flushing = Task.CompletedTask;
    private int count;
    private bool isTimed;
    private bool isClosed;

    public DiscoveredWriter(IDiscoveredPolicies store, DiscovererOptions options, TimeProvider time, ILogger logger)
    {
        this.store = store;
        this.options = options;
        this.logger = logger;
        timer = time.CreateTimer(_ => Begin(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Reads the memory of a destination, written to the store yet or not; null where there is none.</summary>
    public async Task<Discovered?> ReadAsync(NextHop key, CancellationToken cancellation)
    {
        lock (waiting)
        {
            if (waiting.TryGetValue(key, out var entries))
                return entries[^1].Memory;
        }

        return await store.ReadAsync([key], cancellation) is [var known, ..] ? known : null;
    }

    /// <summary>Keeps this sooner or later.</summary>
    public void Add(DiscoveredEntry entry)
    {
        bool isFull;
        lock (waiting)
        {
            Hold(entry);
            isFull = count >= options.WriteBatch;
            if (!isTimed && !isClosed)
            {
                isTimed = true;
                timer.Change(options.WriteDelay, Timeout.InfiniteTimeSpan);
            }
        }

        if (isFull)
            Begin();
    }

    /// <summary>Keeps this now, with everything that waits; ends when it is durable, or could not be made so.</summary>
    public Task AddDurablyAsync(DiscoveredEntry entry)
    {
        lock (waiting)
            Hold(entry);
        return FlushAsync();
    }

    /// <summary>Writes what waits.</summary>
    /// <returns>False where it could not be written and still waits.</returns>
    public async Task<bool> FlushAsync()
    {
        await writing.WaitAsync();
        try
        {
            List<DiscoveredEntry> batch;
            lock (waiting)
            {
                isTimed = false;
                batch = [.. waiting.Values.SelectMany(entries => entries)];
            }

            if (batch.Count == 0)
                return true;
            try
            {
                await store.WriteAsync(batch, CancellationToken.None);
            }
            catch (DiscoveryStoreException fault)
            {
                logger.DiscoveredNotWritten(batch.Count, fault.Message);
                Retry();
                return false;
            }

            Drop(batch);
            return true;
        }
        finally
        {
            writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (waiting)
            isClosed = true;
        await timer.DisposeAsync();
        Task last;
        lock (waiting)
            last = flushing;
        await last;
        await FlushAsync();
        writing.Dispose();
    }

    private void Hold(DiscoveredEntry entry)
    {
        if (!waiting.TryGetValue(entry.Memory.Key, out var entries))
            waiting[entry.Memory.Key] = entries = [];
        // Only its changes are history; of what is remembered the last counts.
        if (entries.Count > 0 && entries[^1].Change is null)
        {
            entries.RemoveAt(entries.Count - 1);
            count--;
        }

        entries.Add(entry);
        count++;
    }

    private void Drop(List<DiscoveredEntry> written)
    {
        lock (waiting)
        {
            foreach (var entry in written)
            {
                if (!waiting.TryGetValue(entry.Memory.Key, out var entries) || !entries.Remove(entry))
                    continue;
                count--;
                if (entries.Count == 0)
                    waiting.Remove(entry.Memory.Key);
            }
        }
    }

    private void Retry()
    {
        lock (waiting)
        {
            if (isTimed || isClosed)
                return;
            isTimed = true;
            timer.Change(options.WriteRetry, Timeout.InfiniteTimeSpan);
        }
    }

    private void Begin()
    {
        // Where one is under way this one follows it: what came meanwhile is not in its batch.
        var flush = FlushAsync();
        lock (waiting)
            flushing = Task.WhenAll(flushing, flush);
    }
}
