using System.Collections.Concurrent;
using System.Net;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Fleet;

/// <summary>Claims of addresses in a store on a server: of all programs over it one is connected to an address at a time.</summary>
/// <remarks>A claim lasts 30 s by the server's clock and is renewed while the connection lasts; its holder trusts it for 25 s by its own clock, and ends the
/// connection where it could not be renewed. What many probes ask for at once goes into one transaction, on a thread of its own.</remarks>
public sealed class AddressClaims : IAddressClaims, IDisposable
{
    internal static readonly TimeSpan Term = TimeSpan.FromSeconds(30);
    internal static readonly TimeSpan Trusted = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(300);
    private const int MaxBatch = 256;

    private readonly StoreEngine engine;
    private readonly string holder;
    private readonly TimeProvider time;
    private readonly BlockingCollection<Request> queue = [];
    private readonly ConcurrentDictionary<string, AddressClaim> held = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private Thread? thread;
    private FleetTables? tables;
    private long renewedAt;
    private bool isDisposed;

    private AddressClaims(StoreEngine engine, string holder, TimeProvider time)
    {
        (this.engine, this.holder, this.time) = (engine, holder, time);
        renewedAt = time.GetTimestamp();
    }

    /// <param name="isOptional">A server that cannot be reached keeps nobody from connecting, since nothing is stored there either.</param>
    /// <returns>Null for a store in a file, over which one daemon probes.</returns>
    public static AddressClaims? For(string database, TimeProvider time, bool isOptional = false)
    {
        ArgumentNullException.ThrowIfNull(time);
        var engine = EngineChoice.For(database);
        return engine.IsShared ? new AddressClaims(engine, FleetInstance.New(), time) { IsOptional = isOptional } : null;
    }

    private bool IsOptional { get; init; }

    /// <inheritdoc/>
    public async Task<IAddressClaim> ClaimAsync(IPAddress address, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(address);
        try
        {
            return await WaitAsync(address, cancellation);
        }
        catch (LedgerUnavailableException) when (IsOptional)
        {
            return new Unclaimed();
        }
    }

    private async Task<AddressClaim> WaitAsync(IPAddress address, CancellationToken cancellation)
    {
        var name = address.ToString();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            var claim = new AddressClaim(this, name, time);
            // Not cancelled: what is granted then has to be let go of.
            if (await AskAsync(new Request(name, claim)))
            {
                if (!cancellation.IsCancellationRequested)
                    return claim;
                await claim.DisposeAsync();
            }

            await Task.Delay(AskAgain, time, cancellation);
        }
    }

    /// <summary>Lets go of what is claimed, then closes the connection.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isDisposed)
                return;
            isDisposed = true;
            queue.CompleteAdding();
        }

        thread?.Join();
        tables?.Dispose();
        queue.Dispose();
    }

    internal void Release(AddressClaim claim)
    {
        held.TryRemove(new KeyValuePair<string, AddressClaim>(claim.Address, claim));
        lock (gate)
        {
            if (!isDisposed)
                queue.Add(new Request(claim.Address, null));
        }
    }

    private Task<bool> AskAsync(Request request)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            if (thread is null)
            {
                thread = new Thread(Run) { IsBackground = true, Name = "address claims" };
                thread.Start();
            }

            queue.Add(request);
        }

        return request.Done.Task;
    }

    private void Run()
    {
        var batch = new List<Request>(MaxBatch);
        while (!queue.IsCompleted)
        {
            if (queue.TryTake(out var first, 1000))
            {
                batch.Add(first);
                while (batch.Count < MaxBatch && queue.TryTake(out var next))
                    batch.Add(next);
                Write(batch);
                batch.Clear();
            }

            if (!held.IsEmpty && time.GetElapsedTime(renewedAt) >= RenewEvery)
                Renew();
        }
    }

    private void Write(List<Request> batch)
    {
        // Two probes of one process do not meet at an address; where they would, one of them waits.
        var wanted = batch.Where(request => request.Claim is not null).DistinctBy(request => request.Address).ToList();
        try
        {
            var asked = time.GetTimestamp();
            var claimed = Tables().Claim(
                holder, [.. batch.Where(request => request.Claim is null).Select(request => request.Address).Distinct()],
                [.. wanted.Select(request => request.Address)], Term).ToHashSet(StringComparer.Ordinal);
            foreach (var request in wanted.Where(request => claimed.Contains(request.Address)))
            {
                request.Claim!.Renewed(asked);
                held[request.Address] = request.Claim;
            }

            foreach (var request in batch)
                request.Done.TrySetResult(wanted.Contains(request) && claimed.Contains(request.Address));
        }
        // Whatever it is, the callers get it.
#pragma warning disable CA1031
        catch (Exception error)
#pragma warning restore CA1031
        {
            Close();
            var failure = error is StoreException ? new LedgerUnavailableException(error.Message, error) : error;
            foreach (var request in batch)
                request.Done.TrySetException(failure);
        }
    }

    private void Renew()
    {
        renewedAt = time.GetTimestamp();
        try
        {
            var asked = time.GetTimestamp();
            var mine = Tables().RenewClaims(holder, Term).ToHashSet(StringComparer.Ordinal);
            foreach (var claim in held.Values)
            {
                if (mine.Contains(claim.Address))
                    claim.Renewed(asked);
                else
                    claim.Lose();
            }
        }
        catch (StoreException)
        {
            // Each is trusted until it runs out.
            Close();
        }
    }

    private FleetTables Tables() => tables ??= engine.OpenFleet(StoreAccess.Write)!;

    private void Close()
    {
        tables?.Dispose();
        tables = null;
    }

    /// <param name="claim">Null where the address is let go of.</param>
    private sealed class Request(string address, AddressClaim? claim)
    {
        internal string Address { get; } = address;

        internal AddressClaim? Claim { get; } = claim;

        internal TaskCompletionSource<bool> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>An address of which nobody can tell whether another program is connected to it.</summary>
internal sealed class Unclaimed : IAddressClaim
{
    public CancellationToken Lost => CancellationToken.None;

    public bool IsHeld => true;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>An address that this process may connect to.</summary>
internal sealed class AddressClaim(AddressClaims claims, string address, TimeProvider time) : IAddressClaim
{
    private readonly CancellationTokenSource lost = new(Timeout.InfiniteTimeSpan, time);
    private long askedAt;
    private int isReleased;

    internal string Address { get; } = address;

    public CancellationToken Lost => lost.Token;

    /// <inheritdoc/>
    // After a stop of the process the timer may not have run yet.
    public bool IsHeld => !lost.IsCancellationRequested && time.GetElapsedTime(Volatile.Read(ref askedAt)) < AddressClaims.Trusted;

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isReleased, 1) == 0)
        {
            claims.Release(this);
            lost.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    internal void Renewed(long asked)
    {
        Volatile.Write(ref askedAt, asked);
        var left = AddressClaims.Trusted - time.GetElapsedTime(asked);
        try
        {
            lost.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
        catch (ObjectDisposedException)
        {
            // Let go of meanwhile.
        }
    }

    internal void Lose()
    {
        try
        {
            lost.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // As above.
        }
    }
}
