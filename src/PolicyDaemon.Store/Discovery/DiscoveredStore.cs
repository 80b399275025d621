using System.Data.Common;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Findings;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Store.Discovery;

/// <summary>What discovery remembers, in the store.</summary>
/// <remarks>It reads and writes with the ledger's connections: one writer in a process never waits for another one's lock, and a probe and a
/// verdict share one wait for the disk. <see cref="WriteAsync"/> ends when the batch is durable.</remarks>
public sealed class DiscoveredStore : IDiscoveredPolicies
{
    /// <summary>Destinations remembered at most, of those that protect something and of the others; policies in force are kept beyond it.</summary>
    public const int Most = 1_000_000;

    /// <summary>Destinations that are read at once where all are.</summary>
    internal const int Page = 250;

    private const int WritesBetweenTrims = 10_000;

    private readonly ProbeLedger ledger;
    private readonly TimeProvider time;
    private readonly long most;
    private int written;

    // The last notice that was acted on and is not this program's to remove.
    private long noticed;

    public DiscoveredStore(ProbeLedger ledger, TimeProvider time)
        : this(ledger, time, Most)
    {
    }

    internal DiscoveredStore(ProbeLedger ledger, TimeProvider time, long most)
    {
        this.ledger = ledger;
        this.time = time;
        this.most = most;
    }

    public Task<IReadOnlyList<Discovered>> ReadAsync(IReadOnlyCollection<NextHop> keys, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<Discovered>>(
            () => ledger.With(connection => keys.Select(key => DiscoveredTable.Find(connection, key.Text)).OfType<Discovered>().ToList()));

    public async Task WriteAsync(IReadOnlyCollection<DiscoveredEntry> batch, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(batch);
        try
        {
            await ledger.RememberAsync(connection =>
            {
                var now = time.GetUtcNow();
                foreach (var entry in batch)
                    DiscoveredTable.Write(connection, entry, now);
                written += batch.Count;
                if (written < WritesBetweenTrims && written < most)
                    return;
                written = 0;
                DiscoveredTable.Trim(connection, most, now);
            }).WaitAsync(cancellation);
        }
        catch (LedgerUnavailableException fault)
        {
            throw new DiscoveryStoreException(fault.Message, fault);
        }
    }

    public Task<IReadOnlyList<NextHop>> ReadRenewalsAsync(DateTimeOffset now, int most, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<NextHop>>(() => ledger.With(connection => DiscoveredTable.Renewals(connection, now, most)));

    /// <summary>The node that findings about discovery itself belong to; null in a store that has one.</summary>
    public string? Node { get; init; }

    /// <summary>How many policies in force end before a time unless they are renewed.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public long CountNearLapse(DateTimeOffset end) => Read(() => ledger.With(connection => DiscoveredTable.NearLapse(connection, time.GetUtcNow(), end)));

    /// <summary>Everything under which more than "nothing" may be answered: what lookups must know before the first one is answered.</summary>
    /// <remarks>Read as it is enumerated, page by page: a start has not all of it in memory at once, and nobody waits long for the connection.</remarks>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public IEnumerable<Discovered> ReadProtected()
    {
        for (var after = ""; after is not null;)
        {
            var (page, last) = Read(() => ledger.With(connection => DiscoveredTable.Protected(connection, after, Page)));
            foreach (var memory in page)
                yield return memory;
            after = last;
        }
    }

    /// <summary>The destinations of which another program changed what is remembered, as it noted them; a key may stand there more than once.</summary>
    /// <param name="limit">At most so many, the oldest first.</param>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public IReadOnlyList<DiscoveryNotice> ReadNotices(int limit) => Read(() => ledger.With(connection => DiscoveredTable.Notices(connection, noticed, limit)));

    /// <summary>Removes the notices that were acted on.</summary>
    /// <param name="last">The <see cref="DiscoveryNotice.Id"/> of the last of them.</param>
    /// <exception cref="DiscoveryStoreException">The store cannot be written; they are read again.</exception>
    public async Task RemoveNoticesAsync(long last)
    {
        try
        {
            if (!await ledger.RememberAsync(connection => DiscoveredTable.RemoveNotices(connection, last)))
                noticed = last;
        }
        catch (LedgerUnavailableException fault)
        {
            throw new DiscoveryStoreException(fault.Message, fault);
        }
    }

    /// <summary>The entries that leave their answer to discovery.</summary>
    /// <param name="limit">At most so many.</param>
    /// <param name="onlyWithFloor">Those that take no less than a floor, and are enforced.</param>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public IReadOnlyList<string> ReadAsking(int limit, bool onlyWithFloor = false) =>
        Read(() => ledger.With(connection => DiscoveredTable.Asking(connection, limit, onlyWithFloor)));

    /// <summary>Keys of entries in their order, behind one of them.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public IReadOnlyList<string> ReadEntries(string after, int limit) => Read(() => ledger.With(connection => DiscoveredTable.Entries(connection, after, limit)));

    /// <summary>Subjects of which discovery has findings open.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public IReadOnlyList<string> ReadFindingSubjects() => Read(() => ledger.With(connection => FindingTable.Open(connection, time.GetUtcNow())
        .Where(open => open.Finding.Kind.IsOf(FindingSource.Discovery) && (open.Finding.Node is null || open.Finding.Node == Node)).Select(open => open.Finding.Subject).Distinct().ToList()));

    /// <summary>Brings discovery's open findings about a subject into line with what holds now.</summary>
    /// <param name="ofNode">They are about this machine, and not about a destination.</param>
    public Task WriteFindingsAsync(string subject, IReadOnlyCollection<Finding> findings, bool ofNode = false)
    {
        var node = ofNode ? Node : null;
        return ChangeAsync(connection => FindingTable.Replace(
            connection, subject, FindingSource.Discovery, [.. findings.Select(finding => finding with { Node = node })], time.GetUtcNow(), node: node));
    }

    private async Task ChangeAsync(Action<DbConnection> write)
    {
        try
        {
            await ledger.WithAsync(write);
        }
        catch (LedgerUnavailableException fault)
        {
            throw new DiscoveryStoreException(fault.Message, fault);
        }
    }

    private static Task<T> ReadAsync<T>(Func<T> read)
    {
        try
        {
            return Task.FromResult(Read(read));
        }
        catch (DiscoveryStoreException fault)
        {
            return Task.FromException<T>(fault);
        }
    }

    private static T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (LedgerUnavailableException fault)
        {
            throw new DiscoveryStoreException(fault.Message, fault);
        }
    }
}
