using System.Net;

namespace PolicyDaemon.Probe.MtaSts;

/// <summary>Lets few fetches run at once: all together, and at one address.</summary>
/// <remarks>Who waits for an address holds no place among all: a slow host that serves many domains keeps nobody else waiting.</remarks>
internal sealed class FetchGate(int all, int perAddress) : IDisposable
{
    private readonly SemaphoreSlim places = new(all);
    private readonly Dictionary<IPAddress, Queue> queues = [];

    /// <summary>Waits for a place; dispose of it when the fetch is over.</summary>
    public async Task<IDisposable> EnterAsync(IPAddress address, CancellationToken cancellation)
    {
        var queue = Join(address);
        try
        {
            await queue.Places.WaitAsync(cancellation);
            try
            {
                await places.WaitAsync(cancellation);
                return new Place(this, address, queue);
            }
            catch
            {
                queue.Places.Release();
                throw;
            }
        }
        catch
        {
            Leave(address, queue);
            throw;
        }
    }

    public void Dispose() => places.Dispose();

    private Queue Join(IPAddress address)
    {
        lock (queues)
        {
            if (!queues.TryGetValue(address, out var queue))
                queues[address] = queue = new Queue(new SemaphoreSlim(perAddress));
            queue.Users++;
            return queue;
        }
    }

    private void Leave(IPAddress address, Queue queue)
    {
        lock (queues)
        {
            if (--queue.Users == 0)
            {
                queues.Remove(address);
                queue.Places.Dispose();
            }
        }
    }

    private sealed record Queue(SemaphoreSlim Places)
    {
        public int Users { get; set; }
    }

    private sealed class Place(FetchGate gate, IPAddress address, Queue queue) : IDisposable
    {
        private int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 1)
                return;
            gate.places.Release();
            queue.Places.Release();
            gate.Leave(address, queue);
        }
    }
}
