using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Store.Fleet;

/// <summary>Whether this daemon is the one that probes, among those that share a store on a server: the holder's side of the lease.</summary>
/// <remarks>
/// <code>
/// the row     (vantage, holder, epoch, expires): 20 s by the server's clock, renewed every 5 s, epoch + 1 at each take
/// the holder  trusts a renewal for 15 s by its own monotonic clock, from before it asked: 5 s less than the server gives it
/// a write     carries its epoch, and is checked against the row in its own transaction: a deposed holder writes nothing
/// </code>
/// <para>So no two clocks have to agree: whoever is cut off from the server, was stopped, or waits for it too long, stops by itself before another
/// one can take the lease; and what was under way all the same is refused. Safe for several threads.</para>
/// </remarks>
public sealed class ProberLease : IDisposable
{
    /// <summary>How long a take or a renewal lasts, by the server's clock.</summary>
    internal static readonly TimeSpan Term = TimeSpan.FromSeconds(20);

    /// <summary>How often it is renewed.</summary>
    internal static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(5);

    /// <summary>How long the holder trusts it, by its own clock.</summary>
    internal static readonly TimeSpan Trusted = TimeSpan.FromSeconds(15);

    private readonly Lock gate = new();
    private readonly string vantage;
    private readonly string node;
    private readonly string instance;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private Hold? hold;
    private TaskCompletionSource<Hold> next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="vantage">The machines that probe in place of one another.</param>
    /// <param name="node">This one.</param>
    /// <param name="instance">This process, another one at each start.</param>
    public ProberLease(string vantage, string node, string instance, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (this.vantage, this.node, this.instance, this.time) = (vantage, node, instance, time);
        timer = time.CreateTimer(_ => DropWhereUntrusted(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>True while this daemon may probe and tell people.</summary>
    public bool IsHeld => Token is not null;

    /// <summary>What a write carries; null where the lease is not held, or not trusted any more.</summary>
    internal LeaseToken? Token
    {
        get
        {
            lock (gate)
                return hold is { } held && time.GetElapsedTime(held.AskedAt) < Trusted ? held.Token : null;
        }
    }

    /// <summary>Waits until the lease is held.</summary>
    /// <returns>Cancelled as soon as it is not any more.</returns>
    public async Task<CancellationToken> WaitAsync(CancellationToken cancellation)
    {
        Task<Hold> taken;
        lock (gate)
            taken = Token is not null ? Task.FromResult(hold!) : next.Task;
        return (await taken.WaitAsync(cancellation)).Over.Token;
    }

    /// <summary>Renews the lease where it is due, takes it where it is free, or lets go of it.</summary>
    /// <param name="mayHold">False where another one is to have it.</param>
    /// <exception cref="Faults.StoreException">The server cannot be reached; what is held runs out by itself.</exception>
    internal void Step(FleetTables tables, bool mayHold)
    {
        DropWhereUntrusted();
        if (Held is { } held)
        {
            if (!mayHold)
                Release(tables);
            else if (time.GetElapsedTime(held.AskedAt) >= RenewEvery)
                Renew(tables, held);
            return;
        }

        // Reading locks nothing: of many nodes most only look.
        if (mayHold && (tables.ReadLease(vantage) is not { } row || row.Left <= 0 || row.Instance == instance))
            Take(tables);
    }

    /// <summary>Lets go of the lease, so that another one need not wait until it runs out. Nothing that it covers may be under way.</summary>
    /// <exception cref="Faults.StoreException">The server cannot be reached; it runs out by itself.</exception>
    internal void Release(FleetTables tables)
    {
        if (Held is not { } held)
            return;
        Drop();
        tables.ReleaseLease(held.Token);
    }

    /// <summary>Gives up what is held, without a word to the server.</summary>
    internal void Drop()
    {
        Hold? over;
        lock (gate)
        {
            over = hold;
            hold = null;
        }

        over?.Over.Cancel();
    }

    public void Dispose()
    {
        Drop();
        timer.Dispose();
    }

    private Hold? Held
    {
        get
        {
            lock (gate)
                return hold;
        }
    }

    private void Take(FleetTables tables)
    {
        var asked = time.GetTimestamp();
        if (tables.TakeLease(vantage, node, instance, Term) is not { } epoch)
            return;
        TaskCompletionSource<Hold> waiting;
        var taken = new Hold(new LeaseToken(vantage, instance, epoch)) { AskedAt = asked };
        lock (gate)
        {
            hold = taken;
            waiting = next;
            next = new(TaskCreationOptions.RunContinuationsAsynchronously);
            Watch(asked);
        }

        waiting.TrySetResult(taken);
    }

    private void Renew(FleetTables tables, Hold held)
    {
        var asked = time.GetTimestamp();
        if (!tables.RenewLease(held.Token, Term))
        {
            Drop();
            return;
        }

        lock (gate)
        {
            // What ran out while the server was asked stays so: somebody was told already.
            if (!ReferenceEquals(hold, held))
                return;
            held.AskedAt = asked;
            Watch(asked);
        }
    }

    private void Watch(long asked)
    {
        var left = Trusted - time.GetElapsedTime(asked);
        timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void DropWhereUntrusted()
    {
        lock (gate)
        {
            if (hold is not { } held || time.GetElapsedTime(held.AskedAt) < Trusted)
                return;
        }

        Drop();
    }

    /// <summary>One take of the lease.</summary>
    private sealed class Hold(LeaseToken token)
    {
        internal LeaseToken Token { get; } = token;

        // Not disposed of: whoever waited for it may still link to it, and without a timer it holds nothing.
        internal CancellationTokenSource Over { get; } = new();

        internal long AskedAt { get; set; }
    }
}
