using System.Data.Common;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Auditing;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Changes;

/// <summary>One command's writes: all of them or none. Disposing without <see cref="Commit"/> takes everything back.</summary>
/// <remarks>Holds the store's one write transaction from its beginning, so that what it reads stays true until it commits.</remarks>
public sealed class StoreChange : IDisposable
{
    private readonly StoreSession session;
    private readonly string storeId;
    private readonly DestinationChanges changes;
    private readonly Func<StoreSession, JudgeAhead> ahead;
    private bool ended;
    private StoreException? failure;

    /// <param name="session">In a transaction that writes.</param>
    /// <param name="onRecord">What a person's change of pins is judged by, read on a connection; null where nothing can be on record yet.</param>
    internal StoreChange(
        StoreSession session, string storeId, ChangeOrigin origin, PostfixSettings postfix, DateTimeOffset time, Func<DbConnection, OnRecord>? onRecord)
    {
        this.session = session;
        this.storeId = storeId;
        changes = new DestinationChanges(session, storeId, origin, postfix, time, onRecord?.Invoke(session.Connection));
        ahead = own => new JudgeAhead(own, storeId, origin, postfix, time, onRecord?.Invoke(own.Connection));
    }

    /// <summary>The change's number, once something was written; 0 before.</summary>
    public long ChangeId => changes.Audit.ChangeId;

    /// <summary>The destination as it is within this change.</summary>
    public Destination? Find(NextHop key) => Guard(() => changes.Find(key)?.Get(session.Path));

    /// <summary>Other keys with the same bare host, with or without brackets, or with another port; but for those that this change adds.</summary>
    public IReadOnlyList<Destination> OtherForms(NextHop key) => Guard(() => changes.OtherForms(key).Select(other => other.Get(session.Path)).ToList());

    /// <summary>Says which keys are asked for next, so that an engine that is far away is asked once for all of them.</summary>
    public void Expect(IReadOnlyCollection<NextHop> keys) => Guard(() =>
    {
        changes.Expect(keys);
        return true;
    });

    /// <summary>What a change of one key would mean: the answers, why it could not be served, what of it weakens.</summary>
    /// <param name="key">The key.</param>
    /// <param name="after">The destination as it shall be; null to remove it.</param>
    /// <param name="acceptsUnsigned">A person says that its zone is not signed any more on purpose.</param>
    public JudgedChange Judge(NextHop key, Destination? after, bool acceptsUnsigned = false) => Guard(() => changes.Judge(key, after, acceptsUnsigned));

    /// <summary>Opens the store once more, to judge keys of this change on another thread.</summary>
    /// <exception cref="StoreException">It cannot be opened.</exception>
    public JudgeAhead JudgeAhead()
    {
        ObjectDisposedException.ThrowIf(ended, this);
        var own = EngineChoice.For(session.Path).Open(StoreAccess.Read, null);
        try
        {
            return ahead(own);
        }
        catch
        {
            own.Dispose();
            throw;
        }
    }

    /// <summary>Writes what was judged, and records it. Writes nothing where nothing differs.</summary>
    /// <param name="judged">Of this change. Weakening is judged against what was there before the whole change.</param>
    /// <param name="evidence">What the decision rests on, as JSON.</param>
    /// <returns>False where nothing differed.</returns>
    /// <exception cref="ChangeRefusedException">It cannot be served, or it weakens, or may, and nobody said why, or automation weakens.</exception>
    /// <exception cref="StoreException">The store failed; the change is to be disposed of.</exception>
    public bool Write(JudgedChange judged, string? evidence = null)
    {
        ArgumentNullException.ThrowIfNull(judged);
        return Guard(() => changes.Write(judged, evidence));
    }

    /// <summary>Judges and writes: adds a destination, or replaces the one with its key.</summary>
    public bool Put(Destination after, string? evidence = null)
    {
        ArgumentNullException.ThrowIfNull(after);
        return Guard(() => changes.Write(changes.Judge(after.Key, after), evidence));
    }

    /// <summary>Judges and writes: removes a destination and its pins.</summary>
    /// <returns>False where there is none.</returns>
    public bool Remove(NextHop key) => Guard(() => changes.Write(changes.Judge(key, null), null));

    /// <summary>Writes what an entry has come to at its end.</summary>
    /// <returns>False where it has no such end.</returns>
    internal bool WriteEnd(NextHop key, DateTimeOffset until) => Guard(() => changes.WriteEnd(key, until));

    /// <summary>What taking a change back would do now. Nothing is written; write what its steps judge to do it.</summary>
    public UndoPlan PlanUndo(long changeId, IProgress<(int Done, int All)>? progress = null) => Guard(() => changes.PlanUndo(changeId, progress));

    /// <summary>Accepts this store in place of the one that the daemon last loaded, which only such a row makes it do.</summary>
    /// <param name="lastLoaded">The identity in the daemon's last good snapshot.</param>
    public void Accept(SnapshotIdentity lastLoaded)
    {
        ArgumentNullException.ThrowIfNull(lastLoaded);
        Append(AuditAction.Accept, AuditLog.Accepting(lastLoaded));
    }

    /// <summary>Accepts this store for everybody who had followed other rows behind one that it has, too, as after a failover that lost some.</summary>
    /// <param name="sequence">The last row that is held to.</param>
    /// <returns>False where the log has no such row.</returns>
    public bool AcceptAfter(long sequence)
    {
        if (Guard(() => AuditLog.HashAt(session.Connection, sequence)) is not { } hash)
            return false;
        Append(AuditAction.Accept, AuditLog.AcceptingAfter(storeId, new AuditHead(sequence, hash)));
        return true;
    }

    /// <summary>Makes the change durable: once this returns, neither a crash nor a power cut takes it back.</summary>
    /// <exception cref="StoreException">It was not; the store is as it was before.</exception>
    public ChangeReceipt Commit() => Guard(() =>
    {
        changes.Audit.Complete();
        if (changes.Audit.Rows > 0)
            session.Announce();
        session.Commit();
        ended = true;
        return new ChangeReceipt(changes.Audit.ChangeId, changes.Audit.Rows, changes.Audit.Head);
    });

    public void Dispose()
    {
        if (ended)
            return;
        ended = true;
        session.Rollback();
    }

    /// <summary>Notes something about the store itself.</summary>
    internal void Append(AuditAction action, string? evidence) => Guard(() =>
    {
        changes.Audit.Append(action, null, null, null, null, null, evidence);
        return true;
    });

    private T Guard<T>(Func<T> work)
    {
        ObjectDisposedException.ThrowIf(ended, this);
        // A full disk makes SQLite roll back at once; whatever was written after it would be a change of its own.
        if (failure is not null)
            throw new StoreException(failure.Kind, failure.Message, failure);
        try
        {
            return work();
        }
        catch (DbException error)
        {
            failure = session.FaultOf(error);
            throw failure;
        }
    }
}

/// <summary>Where a change comes from.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Command">The command as given.</param>
/// <param name="Reason">Why; null where nobody said. A change that weakens takes a person's.</param>
public sealed record ChangeOrigin(Actor Actor, string Command, string? Reason = null)
{
    /// <summary>The rules of the pin life cycle made it, and no person: whatever its reason says, it may not weaken anything.</summary>
    public bool IsAutomation { get; init; }
}

/// <summary>What a committed change left behind.</summary>
/// <param name="ChangeId">What <c>undo</c> takes; 0 where nothing changed.</param>
/// <param name="Rows">How many keys changed.</param>
/// <param name="Head">The end of the audit log after it; belongs in the journal.</param>
public sealed record ChangeReceipt(long ChangeId, long Rows, AuditHead Head);
