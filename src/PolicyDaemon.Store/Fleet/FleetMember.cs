using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Fleet;

/// <summary>This daemon among those that share a store on a server: says that it is there, renews or takes the lease, and passes on what lookups want probed.</summary>
/// <remarks>One connection of its own, on which nothing waits for the store's write lock. For one thread at a time, but <see cref="Nodes"/>.</remarks>
public sealed class FleetMember : IDisposable
{
    /// <summary>How many requests of all nodes wait at most: more than the prober would get through before they are old.</summary>
    private const int MostRequests = 10_000;

    /// <summary>How many of them are written and taken at a time.</summary>
    public const int RequestsAtOnce = 200;

    private static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(12);

    // A change that is served is told before anybody wonders.
    private static readonly TimeSpan BeatAfterChange = TimeSpan.FromSeconds(2);

    // Whoever did not reach the server for longer cannot say what others did meanwhile; each of them then has the time of two heartbeats.
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan TimeToReport = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan AskAgain = TimeSpan.FromMinutes(10);

    // So many of those that wait for the lease look at it in a second, together: one that is let go of is taken at once, and the server has no more to do
    // for two hundred nodes than for twenty.
    private const int LooksASecond = 20;

    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private readonly StoreEngine engine;
    private readonly string node;
    private readonly string instance;
    private readonly string version;
    private readonly string vantage;
    private readonly ProberLease lease;
    private readonly TimeProvider time;
    private readonly Random jitter;
    private readonly NodeTwins twins;
    private FleetTables? tables;
    private long? beatenAt;
    private TimeSpan beatAfter;
    private long? sweptAt;
    private long? viewedSince;
    private long viewedAt;
    private long? beatenSequence;
    private long? readAt;
    private long? askedAt;
    private volatile string? refusal;
    private long probers = 1;
    private bool othersProbe = true;
    private volatile IReadOnlyList<NodeState> nodes = [];
    private volatile IReadOnlyList<NodeState> unattended = [];

    public FleetMember(string database, string node, string vantage, string instance, string version, ProberLease lease, TimeProvider time, Random jitter)
        : this(EngineChoice.For(database), node, vantage, instance, version, lease, time, jitter)
    {
    }

    internal FleetMember(StoreEngine engine, string node, string vantage, string instance, string version, ProberLease lease, TimeProvider time, Random jitter)
    {
        ArgumentNullException.ThrowIfNull(engine);
        (this.engine, this.node, this.vantage, this.instance, this.version) = (engine, node, vantage, instance, version);
        (this.lease, this.time, this.jitter) = (lease, time, jitter);
        twins = new NodeTwins(time);
    }

    /// <summary>The nodes as they were read last, which those that wait for the lease do only while nobody has it. May be read from any thread.</summary>
    public IReadOnlyList<NodeState> Nodes => nodes;

    /// <summary>The nodes, where nobody has held the lease for a minute, so that nobody else tells of them; otherwise none. May be read from any thread.</summary>
    public IReadOnlyList<NodeState> Unattended => unattended;

    /// <summary>Why the user of this daemon may not take the lease, and how it may; null where it may, or that is not known yet. May be read from any thread.</summary>
    public string? Refusal => refusal;

    /// <summary>Does what is due.</summary>
    /// <param name="facts">What it says of itself.</param>
    /// <param name="wanted">Destinations that lookups here want probed; left out while this daemon probes.</param>
    /// <returns>What lookups of other nodes want probed; none where this daemon does not probe.</returns>
    /// <exception cref="StoreException">The server cannot be reached; what is due is done the next time.</exception>
    public FleetStep Step(NodeFacts facts, IReadOnlyCollection<string> wanted)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(wanted);
        try
        {
            tables ??= engine.OpenFleet(StoreAccess.Write)
                ?? throw new StoreException(StoreFault.Unavailable, $"{engine.Path}: a store in a file has one node");
            // The lease first: what it is worth does not wait for anything else.
            StepLease(facts);
            var hasRead = BeatWhereDue(facts);
            if (lease.Token is not { } token)
            {
                if (wanted.Count > 0)
                    tables.Request([.. wanted.Take(RequestsAtOnce)], MostRequests);
                return new FleetStep([], null);
            }

            SweepWhereDue();
            return new FleetStep(tables.TakeRequests(token, RequestsAtOnce), hasRead && Views(TimeToReport) ? nodes : null);
        }
        catch
        {
            // Others hear of it as soon as the server is back.
            beatenAt = null;
            unattended = [];
            Close();
            throw;
        }
    }

    /// <summary>Notes that the server took a heartbeat.</summary>
    private void View()
    {
        if (viewedSince is null || time.GetElapsedTime(viewedAt) > LongestGap)
            viewedSince = time.GetTimestamp();
        viewedAt = time.GetTimestamp();
    }

    /// <summary>True where the server has answered all the while.</summary>
    private bool Views(TimeSpan span) => viewedSince is { } since && time.GetElapsedTime(since) >= span;

    /// <summary>Lets go of the lease, so that another node need not wait until it runs out.</summary>
    public void Leave()
    {
        try
        {
            if (lease.IsHeld)
                lease.Release(tables ??= engine.OpenFleet(StoreAccess.Write)!);
        }
        catch (StoreException)
        {
            // It runs out by itself.
            Close();
        }
    }

    public void Dispose() => Close();

    private void StepLease(NodeFacts facts)
    {
        // Asked before the lease is free, so that nobody counts on a node that could not take it; and again, since rights are given and taken away.
        if (askedAt is not { } at || time.GetElapsedTime(at) >= (refusal is null ? AskAgain : BeatEvery))
        {
            askedAt = time.GetTimestamp();
            refusal = tables!.LeaseRefusal();
        }

        if (refusal is not null || (!lease.IsHeld && jitter.NextInt64(probers) >= LooksASecond))
            return;
        try
        {
            lease.Step(tables!, facts.MayProbe || !othersProbe);
        }
        catch (StoreException refused) when (refused.Kind == StoreFault.Permission)
        {
            // Somebody took the right away.
            lease.Drop();
            refusal = tables!.LeaseRefusal() ?? refused.Message;
        }
    }

    /// <returns>True where the nodes were read.</returns>
    private bool BeatWhereDue(NodeFacts facts)
    {
        if (beatenAt is { } at && time.GetElapsedTime(at) < (facts.Sequence == beatenSequence ? beatAfter : BeatAfterChange))
            return false;
        var before = time.GetUtcNow();
        var clock = tables!.ReadClock();
        var ahead = (before + ((time.GetUtcNow() - before) / 2)).ToUnixTimeMilliseconds() - clock;
        var row = new NodeRow(node, instance, version, vantage, facts.MayProbe ? NodeRow.InTurn : NodeRow.Off, facts.Digest, facts.Sequence, ahead, 0);
        tables.Beat(facts.MayProbe && refusal is not null ? row.AsRefused() : row);
        (beatenAt, beatenSequence) = (time.GetTimestamp(), facts.Sequence);
        View();
        // Nodes that came with one power switch drift apart.
        beatAfter = BeatEvery * (0.85 + (0.3 * jitter.NextDouble()));
        if (readAt is { } read && time.GetElapsedTime(read) < BeatEvery * 0.8)
            return false;
        readAt = time.GetTimestamp();
        // Of many nodes those that wait for the lease alone need not know the others, while somebody has it.
        if (!lease.IsHeld && facts.MayProbe && tables.ReadLease(vantage) is { Left: > 0 })
        {
            unattended = [];
            probers = Math.Max(1, tables.CountProbers(vantage, NodeState.StaleAfter));
            return false;
        }

        nodes = [.. NodeState.Read(tables).Select(one => one with { IsShared = twins.IsShared(one) })];
        othersProbe = nodes.Any(other => other.Name != node && other.Vantage == vantage && other.MayProbe && !(other.IsStale && Views(TimeToReport)));
        unattended = !lease.IsHeld && Views(NodeState.StaleAfter) && nodes.Any(one => one.Vantage == vantage && one.IsUnattended) ? nodes : [];
        return true;
    }

    private void SweepWhereDue()
    {
        if (sweptAt is { } at && time.GetElapsedTime(at) < SweepEvery)
            return;
        sweptAt = time.GetTimestamp();
        tables!.SweepClaims();
    }

    private void Close()
    {
        try
        {
            tables?.Dispose();
        }
        catch (System.Data.Common.DbException)
        {
            // What made it close is said already.
        }

        tables = null;
    }
}

/// <summary>Finds the names that two processes have by turns; a restart is one turn.</summary>
internal sealed class NodeTwins(TimeProvider time)
{
    // Long enough that a person reads of it, and soon over once it is put right.
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, Turns> known = new(StringComparer.Ordinal);

    internal bool IsShared(NodeState node)
    {
        if (!known.TryGetValue(node.Name, out var turns))
            known.Add(node.Name, turns = new Turns(node.Instance));
        if (turns.Now != node.Instance)
        {
            if (turns.Before == node.Instance)
                turns.SharedAt = time.GetTimestamp();
            (turns.Before, turns.Now) = (turns.Now, node.Instance);
        }

        return turns.SharedAt is { } at && time.GetElapsedTime(at) < Memory;
    }

    private sealed class Turns(string now)
    {
        internal string Now { get; set; } = now;

        internal string? Before { get; set; }

        internal long? SharedAt { get; set; }
    }
}

/// <summary>What a node says of itself.</summary>
/// <param name="MayProbe">False where <c>enabled = no</c>: it takes the lease only where no other node may probe, and then alerts alone.</param>
/// <param name="Digest">The algorithm of fingerprints that it answers with.</param>
/// <param name="Sequence">The last row of the audit log that it serves; null where it serves nothing yet.</param>
public sealed record NodeFacts(bool MayProbe, string Digest, long? Sequence);

/// <summary>What came of a step.</summary>
/// <param name="Requested">Destinations that lookups of other nodes want probed.</param>
/// <param name="Nodes">All nodes, where they were read just now and this daemon holds the lease,
/// and the others had the time to say that they are there; otherwise null.</param>
public sealed record FleetStep(IReadOnlyList<string> Requested, IReadOnlyList<NodeState>? Nodes);
