using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;

namespace PolicyDaemon.Tests.Support;

/// <summary>What discovery remembers, in memory; it can be told to fail, and to take its time.</summary>
internal sealed class MemoryPolicies : IDiscoveredPolicies
{
    private readonly Dictionary<NextHop, Discovered> memories = [];

    /// <summary>Every batch that was written.</summary>
    public List<IReadOnlyCollection<DiscoveredEntry>> Batches { get; } = [];

    /// <summary>Every change, in the order in which it was written.</summary>
    public IEnumerable<DiscoveryChange> Changes
    {
        get
        {
            lock (memories)
                return [.. Batches.SelectMany(batch => batch).Select(entry => entry.Change).OfType<DiscoveryChange>()];
        }
    }

    public bool CannotWrite { get; set; }

    public bool CannotRead { get; set; }

    /// <summary>A write ends when this does.</summary>
    public Task Writable { get; set; } = Task.CompletedTask;

    /// <summary>Writes that began.</summary>
    public SemaphoreSlim Began { get; } = new(0);

    public Discovered? this[string key]
    {
        get
        {
            lock (memories)
                return memories.GetValueOrDefault(NextHop.Parse(key));
        }
    }

    public void Put(Discovered memory)
    {
        lock (memories)
            memories[memory.Key] = memory;
    }

    public Task<IReadOnlyList<Discovered>> ReadAsync(IReadOnlyCollection<NextHop> keys, CancellationToken cancellation)
    {
        if (CannotRead)
            throw new DiscoveryStoreException("the disk is gone");
        lock (memories)
            return Task.FromResult<IReadOnlyList<Discovered>>([.. keys.Select(key => memories.GetValueOrDefault(key)).OfType<Discovered>()]);
    }

    public async Task WriteAsync(IReadOnlyCollection<DiscoveredEntry> batch, CancellationToken cancellation)
    {
        Began.Release();
        await Writable.WaitAsync(cancellation);
        if (CannotWrite)
            throw new DiscoveryStoreException("the disk is full");
        lock (memories)
        {
            Batches.Add(batch);
            foreach (var entry in batch)
                memories[entry.Memory.Key] = entry.Memory;
        }
    }

    public Task<IReadOnlyList<NextHop>> ReadRenewalsAsync(DateTimeOffset now, int most, CancellationToken cancellation)
    {
        lock (memories)
        {
            return Task.FromResult<IReadOnlyList<NextHop>>(
            [
                .. memories.Values
                    .Where(memory => StsRules.IsRenewalDue(memory.Sts, memory.Used, now))
                    .OrderBy(memory => memory.Sts.FetchDue)
                    .Take(most)
                    .Select(memory => memory.Key),
            ]);
        }
    }
}
