using System.Data.Common;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Findings;
using PolicyDaemon.Store.Fleet;

namespace PolicyDaemon.Store.Probing;

/// <summary>The ledger in the store: the memory of the prober and of the alerts.</summary>
/// <remarks>
/// <para>Opens nothing before it is asked for something, and comes back by itself after the store was locked, full, away or replaced.
/// One connection reads and one writes, so that reading never waits for the disk; <see cref="LedgerWriter"/> shares one wait among
/// all that want to write. A change of pins is a change like any other: with audit rows, which the daemon follows, and which
/// <c>undo</c> takes back.</para>
/// </remarks>
public sealed class ProbeLedger : IProbeLedger, IAlertLedger, IDisposable
{
    private readonly string path;
    private readonly TimeProvider time;
    private readonly HistoryCache cache = new();
    private readonly LedgerWriter writer;
    private readonly KeptSession session;
    private readonly Lock reading = new();
    private readonly ProberLease? lease;
    private LedgerReader? reader;
    private volatile PostfixSettings postfix;
    private bool isDisposed;

    /// <param name="database">The store's file, which need not be there yet.</param>
    /// <param name="postfix">For which Postfix answers are made, as the audit log shows them and as what can be served depends on it.</param>
    /// <param name="lease">What writes of the prober and of the alerts rest on, so that of several daemons one makes them; null where there is one, and for
    /// a person's command.</param>
    public ProbeLedger(string database, PostfixSettings postfix, TimeProvider time, ProberLease? lease = null)
        : this(database, postfix, time, (TimeSpan?)null)
    {
        this.lease = lease;
    }

    internal ProbeLedger(string database, PostfixSettings postfix, TimeProvider time, TimeSpan? patience)
    {
        path = database;
        this.postfix = postfix;
        this.time = time;
        var engine = EngineChoice.For(database);
        session = new KeptSession(engine, patience);
        writer = new LedgerWriter(engine, time, patience, cache);
    }

    /// <summary>Replaces the settings for which answers are formatted, such as after the configuration was read again.</summary>
    public void Use(PostfixSettings settings) => postfix = settings;

    /// <summary>Every destination above level <c>none</c>, and when it is due next.</summary>
    /// <exception cref="LedgerUnavailableException">The store cannot be read.</exception>
    public IReadOnlyList<ProbeDue> List() => Read(from => from.Due.All());

    public IReadOnlyList<ProbeDue> ListDue(DateTimeOffset until, int limit) => Read(from => from.Due.Due(until, limit));

    public UnprobedPage ListUnprobed(long after, int limit) => Read(from => from.Due.Unprobed(after, limit));

    public ProbeCounts Count(DateTimeOffset now) => Read(from => from.Due.Count(now));

    /// <inheritdoc/>
    public int RecallFuture(DateTimeOffset now, DateTimeOffset dueAfter)
    {
        var recalled = 0;
        Write(into => recalled = into.RecallFuture(now, dueAfter));
        return recalled;
    }

    public void ClockSet(DateTimeOffset at) => Write(into => into.ClockSet(at));

    public PinElsewhere? FindElsewhere(NextHop key, Fingerprint fingerprint) => Read(from => from.FindElsewhere(key, fingerprint));

    public IReadOnlyList<NextHop> Sample(int size, Random random) => Read(from => from.Brake.Sample(size, random));

    public DestinationState? Read(NextHop key) => Read(from => from.Read(key, time.GetUtcNow()));

    public AddressHistory ReadHistory(ProbeTarget target) => Read(from => from.ReadHistory(target));

    public IReadOnlyList<NextHop> Sharing(ProbeTarget target) => Read(from => from.Sharing(target));

    public BrakeCounts ReadBrake(DateTimeOffset now, int least) => Read(from => from.Brake.Read(now, least));

    public void BrakeSet(DateTimeOffset at) => Write(into => into.BrakeSet(at));

    public Task RecordAsync(Observation observation) => WriteAsync(into => into.Write(observation, time.GetUtcNow()));

    public Task RecordAsync(ProbeResult result) => WriteAsync(into => into.Write(result, postfix, time.GetUtcNow()));

    public IReadOnlyList<Finding> ReadProberFindings() => Read(from => FindingTable.OpenAbout(from.Connection, WriteSession.Prober, time.GetUtcNow()));

    public void Record(IReadOnlyList<Finding> proberFindings) => Write(into => into.Write(proberFindings, time.GetUtcNow()));

    public IReadOnlyList<FindingAlert> ReadAlerts() => Read(from => FindingTable.Alerts(from.Connection, time.GetUtcNow()));

    public void MarkNotified(IReadOnlyCollection<long> ids, DateTimeOffset at, int escalation = 0) => Write(into =>
    {
        foreach (var id in ids)
        {
            FindingTable.MarkNotified(into.Connection, id, at, escalation);
            FindingTable.ForgetDeliveries(into.Connection, id);
        }
    });

    public void MarkRecovered(IReadOnlyCollection<long> ids, DateTimeOffset at) => Write(into =>
    {
        foreach (var id in ids)
        {
            FindingTable.MarkRecovered(into.Connection, id, at);
            FindingTable.ForgetDeliveries(into.Connection, id);
        }
    });

    public void MarkTogether(IReadOnlyCollection<long> ids) => Write(into =>
    {
        // Once: there are many just when they are told together, and other writers wait.
        var with = ids.Min();
        foreach (var id in ids)
            FindingTable.MarkTogether(into.Connection, id, with);
    });

    public void MarkDelivered(AlertDelivery delivery) => Write(into => FindingTable.MarkDelivered(into.Connection, delivery));

    public IReadOnlyList<AlertDelivery> ReadDeliveries() => Read(from => FindingTable.Deliveries(from.Connection));

    /// <summary>Stores the findings about nodes, all that hold now.</summary>
    public void RecordNodes(IReadOnlyCollection<Finding> findings) => Write(into => FindingTable.ReplaceAll(into.Connection, FindingSource.Fleet, findings, time.GetUtcNow()));

    /// <summary>Reads over the ledger's connection, for another part of this library.</summary>
    internal T With<T>(Func<DbConnection, T> read) => Read(from => read(from.Connection));

    /// <summary>Writes in one of the ledger's transactions: all of the work or nothing of it.</summary>
    internal Task WithAsync(Action<DbConnection> write) => writer.WriteAsync(into => write(into.Connection));

    /// <summary>Writes what discovery remembers, where this program's user may; otherwise nothing, and whoever discovered it has it alone.</summary>
    /// <returns>False where it may not.</returns>
    internal async Task<bool> RememberAsync(Action<DbConnection> write)
    {
        var may = false;
        await writer.WriteAsync(into =>
        {
            may = into.Rights.Discovered;
            if (may)
                write(into.Connection);
        });
        return may;
    }

    /// <summary>Writes what is queued, then closes the connections.</summary>
    public void Dispose()
    {
        writer.Dispose();
        lock (reading)
        {
            isDisposed = true;
            session.Close();
            reader = null;
        }
    }

    // Waiting for a task tells the thread pool that this thread is not busy; a plain event would not.
    private void Write(Action<WriteSession> work) => WriteAsync(work).GetAwaiter().GetResult();

    private Task WriteAsync(Action<WriteSession> work)
    {
        if (lease is null)
            return writer.WriteAsync(work);
        return lease.Token is { } token ? writer.WriteAsync(work, token) : Task.FromException(Deposed(path));
    }

    internal static LedgerUnavailableException Deposed(string path) =>
        new($"{path}: another node probes and alerts by now, or this one cannot reach the server; what it came to is not stored");

    private T Read<T>(Func<LedgerReader, T> read)
    {
        lock (reading)
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            try
            {
                if (session.Renew())
                {
                    cache.Clear();
                    reader = new LedgerReader(session.Current!, cache, time);
                }

                return read(reader!);
            }
            catch (Exception error) when (LedgerFaults.From(error, path, session.Current) is LedgerUnavailableException failure)
            {
                Close();
                throw failure;
            }
        }
    }

    private void Close()
    {
        session.Close();
        reader = null;
        cache.Clear();
    }
}
