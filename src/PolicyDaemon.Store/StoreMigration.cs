using Dapper;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Auditing;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store;

/// <summary>Takes a store to another place, whichever engine keeps it here and there: the same identity, numbers and audit log.</summary>
/// <remarks>
/// <code>
/// 1  the store here is locked: nobody writes, everybody reads; whether all that comes is allowed, here and there, is asked
/// 2  its rows are copied into a new store there, which is marked as a copy that is not finished, and compared
/// 3  the store here is marked as moved. Up to here nothing is kept of it, here and there, whatever fails
/// 4  both are kept: first the copy, which nobody writes, then the mark here, from which on nobody writes here
/// 5  the mark there is taken off, with a row of the audit log that says who moved it, and why: from then on it is the store that is used
/// </code>
/// At no moment can both be written. Interrupted in 4 or 5, the next run goes on where that one ended; where the store here was changed since, the copy
/// has to go.
/// </remarks>
public static class StoreMigration
{
    // Added to what schema_version says of those that may write: no program has such a version, whatever it knows of the mark.
    private const long Nobody = 1_000_000_000;

    /// <summary>What is left to do.</summary>
    private enum Step
    {
        Copy,
        MarkHere,
        Finish,
    }

    /// <summary>Moves it.</summary>
    /// <param name="from">The store, as the configuration names it.</param>
    /// <param name="to">Where to, likewise; nothing is there yet.</param>
    /// <param name="origin">Who, with which command, and why.</param>
    /// <exception cref="StoreException">It was not moved, and is used as before, or it is about to be, and is read here and there; the message says what to do next.</exception>
    public static StoreMove Run(string from, string to, ChangeOrigin origin, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(time);
        var target = EngineChoice.For(to);
        var now = time.GetUtcNow();
        using var session = EngineChoice.For(from).Open(StoreAccess.Write, null, evenMoved: true);
        session.Guard(session.BeginMove);
        StoreMove move;
        try
        {
            (var step, move) = session.Guard(() => Check(session, target));
            if (step == Step.Copy)
                target.Create(now, into => Fill(session, into, now));
            else if (step == Step.MarkHere)
                session.Guard(() => Mark(session, Named(to), now));
        }
        catch
        {
            session.Rollback();
            throw;
        }

        try
        {
            session.Guard(session.Commit);
            return move with { Receipt = Finish(target, Identity(session, move.Head), origin, now) };
        }
        catch (StoreException error)
        {
            throw new StoreException(error.Kind, $"{error.Message}. The copy at {to} is whole and not in use yet, and nobody writes it: run this command again to finish it", error);
        }
    }

    /// <summary>Says whether it could be moved: asks all that <see cref="Run"/> asks before it copies.</summary>
    /// <inheritdoc cref="Run"/>
    public static StoreMove Try(string from, string to)
    {
        using var session = EngineChoice.For(from).Open(StoreAccess.Read, null, evenMoved: true);
        return session.InOneMoment(() => Check(session, EngineChoice.For(to)).Move);
    }

    /// <summary>Uses a store again that was moved: the one there is lost.</summary>
    /// <param name="database">The store that was moved.</param>
    /// <param name="origin">Who, with which command, and why.</param>
    /// <exception cref="StoreException">It was not moved, or cannot be written.</exception>
    public static ChangeReceipt TakeBack(string database, ChangeOrigin origin, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(time);
        using var session = EngineChoice.For(database).Open(StoreAccess.Write, null, evenMoved: true);
        session.Guard(session.BeginWrite);
        try
        {
            RefuseUnmoved(session);
            return Use(session, origin, time.GetUtcNow(), null);
        }
        catch
        {
            session.Rollback();
            throw;
        }
    }

    /// <summary>Says whether it could be used again.</summary>
    /// <exception cref="StoreException">It was not moved, or cannot be read.</exception>
    public static void TryTakeBack(string database)
    {
        using var session = EngineChoice.For(database).Open(StoreAccess.Read, null, evenMoved: true);
        RefuseUnmoved(session);
    }

    private static void RefuseUnmoved(StoreSession session)
    {
        if (session.Guard(session.FindMoved) is null)
            throw new StoreException(StoreFault.Exists, $"{session.Path}: this store was not moved; nothing was changed");
    }

    /// <summary>What is left to do, where all of it is allowed; changes nothing.</summary>
    /// <exception cref="StoreException">It is not.</exception>
    private static (Step Step, StoreMove Move) Check(StoreSession session, StoreEngine target)
    {
        var head = AuditLog.Head(session.Connection);
        var move = new StoreMove(session.StoreId, head, new DestinationTable(session.Connection).Count(), null);
        var moved = session.FindMoved();
        if (moved is null)
            session.CheckMark();
        if (!target.Exists())
        {
            RefuseMoved(moved);
            target.CheckCreate(StoreCopy.Tables, StoreCopy.OwnRows);
            return (Step.Copy, move);
        }

        using var found = target.Open(StoreAccess.Read, null, evenMoved: true);
        var isUnfinished = IsUnfinished(found, session.StoreId, head);
        if (!isUnfinished)
        {
            RefuseMoved(moved);
            throw Taken(found, isSame: found.StoreId == session.StoreId);
        }

        found.Guard(found.CheckMark);
        return (moved is null ? Step.MarkHere : Step.Finish, move);
    }

    /// <summary>True for the copy of a store as it is, which an interrupted run left whole.</summary>
    private static bool IsUnfinished(StoreSession found, string storeId, AuditHead head) => found.StoreId == storeId && found.Guard(() =>
        found.Connection.ExecuteScalar<long>("SELECT count(*) FROM store WHERE id = 1 AND moved_to IS NOT NULL AND moved_at IS NULL") > 0
        && AuditLog.Head(found.Connection) == head);

    private static void RefuseMoved(StoreException? moved)
    {
        if (moved is not null)
            throw new StoreException(StoreFault.Moved, $"{moved.Message}. Nothing was changed; where that one is lost, 'policyctl store migrate --take-back' uses this one again");
    }

    private static StoreException Taken(StoreSession found, bool isSame) => new(
        StoreFault.Exists,
        isSame
            ? $"{found.Path}: there is this same store, of another state; nothing was changed. Where a migration was interrupted and this store was changed since, or the other is an old one, remove it (dropdb and createdb, or rm), or name another place; then run this command again"
            : $"{found.Path}: there is another store already; nothing was changed. Name a place where none is");

    private static void Fill(StoreSession from, StoreSession into, DateTimeOffset now)
    {
        StoreCopy.Rows(from, into);
        Compare(from, into);
        Mark(into, Named(from.Path), null);
        // Before anything is kept there: whatever is refused here leaves nothing behind.
        from.Guard(() => Mark(from, Named(into.Path), now));
        into.Commit();
    }

    private static ChangeReceipt Finish(StoreEngine target, SnapshotIdentity from, ChangeOrigin origin, DateTimeOffset now)
    {
        using var into = target.Open(StoreAccess.Write, null, evenMoved: true);
        into.Guard(into.BeginWrite);
        try
        {
            if (!IsUnfinished(into, from.StoreId, new AuditHead(from.Sequence, from.Hash)))
                throw new StoreException(StoreFault.Exists, $"{into.Path}: another run of this command has finished it");
            return Use(into, origin, now, AuditLog.Accepting(from));
        }
        catch
        {
            into.Rollback();
            throw;
        }
    }

    /// <summary>Takes the mark off, in a transaction that writes.</summary>
    private static ChangeReceipt Use(StoreSession session, ChangeOrigin origin, DateTimeOffset now, string? evidence)
    {
        session.Guard(() =>
        {
            session.Connection.Execute("UPDATE store SET moved_to = NULL, moved_at = NULL WHERE id = 1");
            session.Connection.Execute("UPDATE schema_version SET writable_from = writable_from - @Nobody WHERE writable_from > @Nobody", new { Nobody });
        });
        var change = new StoreChange(session, session.StoreId, origin, PostfixSettings.Default, now, onRecord: null);
        change.Append(AuditAction.Migrate, evidence);
        return change.Commit();
    }

    /// <param name="place">Where the store went; of a copy, where it comes from.</param>
    /// <param name="at">When; null of a copy that is not finished.</param>
    private static void Mark(StoreSession session, string place, DateTimeOffset? at)
    {
        var seconds = at?.Seconds();
        session.Connection.Execute("UPDATE store SET moved_to = @place, moved_at = @seconds WHERE id = 1", new { place, seconds });
        session.Connection.Execute(
            "UPDATE schema_version SET writable_from = writable_from + @Nobody WHERE version = (SELECT max(version) FROM schema_version)", new { Nobody });
    }

    /// <summary>A place as other machines have to name it: a file and a socket are those of one machine.</summary>
    private static string Named(string place) =>
        PostgreSqlWords.IsNamedBy(place) && PostgreSqlWords.TryParse(place[PostgreSqlWords.Prefix.Length..], out var words, out _)
        && words.TryGetValue("host", out var host) && !host.StartsWith('/')
            ? place
            : $"{place} on {Environment.MachineName}";

    /// <exception cref="StoreException">The copy is not as its source.</exception>
    private static void Compare(StoreSession from, StoreSession into)
    {
        foreach (var table in StoreCopy.Tables)
        {
            var (here, there) = (StoreCopy.Count(from, table), StoreCopy.Count(into, table));
            if (here != there)
                throw Different(into, $"{here} rows of {table} became {there}");
        }

        if (AuditLog.Head(from.Connection) is var head && head != AuditLog.Head(into.Connection))
            throw Different(into, "the end of the audit log is another one");
        using var copies = new DestinationTable(into.Connection).List("%").GetEnumerator();
        foreach (var entry in new DestinationTable(from.Connection).List("%"))
        {
            if (!copies.MoveNext() || copies.Current.Key != entry.Key || copies.Current.Value != entry.Value)
                throw Different(into, $"the entry {entry.Key} became another one");
        }
    }

    private static StoreException Different(StoreSession into, string how) =>
        new(StoreFault.Unavailable, $"{into.Path}: the copy is not as its source: {how}; nothing was changed here, and nothing is left there");

    private static SnapshotIdentity Identity(StoreSession session, AuditHead head) =>
        new(session.StoreId, head.Sequence, head.Hash, PostfixSettings.Default.FingerprintDigest, PostfixSettings.Default.Version);
}

/// <summary>A store that went elsewhere.</summary>
/// <param name="StoreId">Its identity, here and there.</param>
/// <param name="Head">The end of its audit log when it went, here and there.</param>
/// <param name="Destinations">How many entries it has.</param>
/// <param name="Receipt">The row of the audit log there that says so; null where nothing was done yet.</param>
public sealed record StoreMove(string StoreId, AuditHead Head, long Destinations, ChangeReceipt? Receipt);
