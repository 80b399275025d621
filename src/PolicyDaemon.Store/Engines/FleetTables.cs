namespace PolicyDaemon.Store.Engines;

/// <summary>What the daemons over one store keep in it of one another: who they are, which of them probes, and which address a program is connected to.</summary>
/// <remarks>Only an engine that several machines share has it (<see cref="StoreEngine.OpenFleet"/>). All times are of the server's clock. One object is one
/// connection, for one thread at a time; nothing takes the store's write lock, so that a long import holds nothing up. A method that cannot reach
/// the server throws <see cref="Faults.StoreException"/>, and the object is of no use any more.</remarks>
internal abstract class FleetTables : IDisposable
{
    /// <summary>The server's clock, in milliseconds since 1970 UTC.</summary>
    internal abstract long ReadClock();

    /// <summary>Notes that a node is there.</summary>
    internal abstract void Beat(NodeRow node);

    /// <summary>All nodes, by name.</summary>
    internal abstract IReadOnlyList<NodeRow> ReadNodes();

    /// <summary>Forgets a node.</summary>
    /// <returns>False where there is none of that name.</returns>
    internal abstract bool RemoveNode(string name);

    /// <returns>The lease; null where nobody ever had it.</returns>
    internal abstract LeaseRow? ReadLease(string vantage);

    /// <returns>Why the user of the program may not take the lease, and how it may; null where it may.</returns>
    internal virtual string? LeaseRefusal() => null;

    /// <summary>How many nodes of a vantage that may take the lease are there.</summary>
    internal abstract long CountProbers(string vantage, TimeSpan staleAfter);

    /// <summary>Takes the lease, where it has run out or is this process's own.</summary>
    /// <returns>The new epoch; null where another one has it.</returns>
    internal abstract long? TakeLease(string vantage, string node, string instance, TimeSpan term);

    /// <returns>False where another one took it meanwhile.</returns>
    internal abstract bool RenewLease(LeaseToken token, TimeSpan term);

    /// <summary>Lets go of the lease, where it is still held.</summary>
    internal abstract void ReleaseLease(LeaseToken token);

    /// <summary>Lets go of addresses, then claims others.</summary>
    /// <param name="holder">The process.</param>
    /// <returns>Those that are claimed now; the others are another one's.</returns>
    internal abstract IReadOnlyList<string> Claim(string holder, IReadOnlyCollection<string> released, IReadOnlyCollection<string> wanted, TimeSpan term);

    /// <summary>Renews all claims of a process that have not run out.</summary>
    /// <returns>What it has claimed.</returns>
    internal abstract IReadOnlyList<string> RenewClaims(string holder, TimeSpan term);

    /// <summary>Removes the claims of programs that died long ago.</summary>
    internal abstract void SweepClaims();

    /// <summary>Asks whoever probes to probe destinations; what is asked for already, and what is beyond the bound, is left out.</summary>
    /// <param name="keys">Lookup keys.</param>
    /// <param name="most">How many requests may wait in all.</param>
    internal abstract void Request(IReadOnlyCollection<string> keys, int most);

    /// <summary>Takes what others asked for, the oldest first; nothing where the lease is another one's.</summary>
    internal abstract IReadOnlyList<string> TakeRequests(LeaseToken token, int limit);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}

/// <summary>A row of the table node.</summary>
/// <param name="Instance">The process; two that share a name are told apart by it.</param>
/// <param name="Probes">1: it may take the lease.</param>
/// <param name="Digest">The algorithm of fingerprints that it answers with.</param>
/// <param name="Sequence">The last row of the audit log that it serves; null where it serves nothing yet.</param>
/// <param name="Ahead">Milliseconds by which its clock is before the server's; less than 0: behind.</param>
/// <param name="Seen">When it was there last, in milliseconds since 1970 by the server's clock; who writes a row leaves it to the server.</param>
internal sealed record NodeRow(
    string Name, string Instance, string Version, string Vantage, long Probes, string Digest, long? Sequence, long Ahead, long Seen)
{
    internal const long Off = 0;
    internal const long InTurn = 1;

    // Told behind the name of the process: the table has no column for it, and programs that are older take it for one that does not probe.
    private const string RefusedMark = " refused";

    /// <summary>The row of a node that would probe, and whose user of the server may not take the lease.</summary>
    internal NodeRow AsRefused() => this with { Probes = Off, Instance = Instance + RefusedMark };

    internal bool WasRefused() => Probes == Off && Instance.EndsWith(RefusedMark, StringComparison.Ordinal);

    /// <summary>The process, whether it is refused or not.</summary>
    internal string Process() => WasRefused() ? Instance[..^RefusedMark.Length] : Instance;
}

/// <summary>A row of the table probe_lease.</summary>
/// <param name="Left">Milliseconds until it runs out; 0 or less where it has.</param>
internal sealed record LeaseRow(string Holder, string Instance, long Epoch, long Left);

/// <summary>Which take of the lease a write rests on.</summary>
/// <param name="Instance">The process that took it.</param>
/// <param name="Epoch">The number of the take.</param>
internal sealed record LeaseToken(string Vantage, string Instance, long Epoch);
