using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Tests.Store.Fleet;

/// <summary>The row of the lease and those of nodes as the server keeps them, by its own clock; nothing else.</summary>
internal sealed class LeaseTable(TimeProvider clock) : FleetTables
{
    private string holder = "";
    private string instance = "";
    private long expires;
    private readonly SortedDictionary<string, NodeRow> nodes = new(StringComparer.Ordinal);

    internal bool IsCutOff { get; set; }

    internal string? Refusal { get; set; }

    internal long Epoch { get; private set; }

    internal long Left => expires - ReadClock();

    internal bool Holds(LeaseToken token) => token.Epoch == Epoch && token.Instance == instance;

    internal override long ReadClock() => clock.GetUtcNow().ToUnixTimeMilliseconds();

    internal override LeaseRow? ReadLease(string vantage) => Answer(() => Epoch == 0 ? null : new LeaseRow(holder, instance, Epoch, Left));

    internal override long CountProbers(string vantage, TimeSpan staleAfter) =>
        Answer(() => nodes.Values.LongCount(node => node.Vantage == vantage && node.Probes == NodeRow.InTurn && ReadClock() - node.Seen < staleAfter.TotalMilliseconds));

    internal override long? TakeLease(string vantage, string node, string instance, TimeSpan term) => Answer<long?>(() =>
    {
        if (Epoch > 0 && Left > 0 && this.instance != instance)
            return null;
        (holder, this.instance, expires) = (node, instance, ReadClock() + (long)term.TotalMilliseconds);
        return ++Epoch;
    });

    internal override bool RenewLease(LeaseToken token, TimeSpan term) => Answer(() =>
    {
        if (!Holds(token))
            return false;
        expires = ReadClock() + (long)term.TotalMilliseconds;
        return true;
    });

    internal override void ReleaseLease(LeaseToken token) => Answer(() =>
    {
        if (Holds(token))
            expires = Math.Min(expires, ReadClock());
        return true;
    });

    internal override string? LeaseRefusal() => Answer(() => Refusal);

    internal override void Beat(NodeRow node) => Answer(() => nodes[node.Name] = node with { Seen = ReadClock() });

    internal override IReadOnlyList<NodeRow> ReadNodes() => Answer<IReadOnlyList<NodeRow>>(() => [.. nodes.Values]);

    internal override bool RemoveNode(string name) => throw new NotSupportedException();

    internal override IReadOnlyList<string> Claim(string holder, IReadOnlyCollection<string> released, IReadOnlyCollection<string> wanted, TimeSpan term) =>
        throw new NotSupportedException();

    internal override IReadOnlyList<string> RenewClaims(string holder, TimeSpan term) => throw new NotSupportedException();

    internal override void SweepClaims()
    {
    }

    internal override void Request(IReadOnlyCollection<string> keys, int most) => throw new NotSupportedException();

    internal override IReadOnlyList<string> TakeRequests(LeaseToken token, int limit) => [];

    protected override void Dispose(bool disposing)
    {
    }

    private T Answer<T>(Func<T> answer) => IsCutOff ? throw new StoreException(StoreFault.Unavailable, "cut off") : answer();
}
