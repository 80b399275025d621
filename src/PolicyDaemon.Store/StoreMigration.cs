using Dapper;
using PolicyDaemon.Core.Audit;
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
/// 1  the store here is locked: nobody writes, everybody reads
/// 2  its rows are copied into a new store there, compared, and made durable with a row of the audit log that says so
/// 3  the store here is marked as moved: from then on nobody writes it
/// </code>
/// Interrupted before the end of 2, nothing is there, and the store here is as it was. Interrupted between 2 and 3, the next run finds the copy whole and
/// does 3, unless the store here was changed since; then the copy has to go.
/// </remarks>
public static class StoreMigration
{
    // Added to what schema_version says of those that may write: no program has such a version, whatever it knows of the mark.
    private const long Nobody = 1_000_000_000;

    /// <summary>Moves it.</summary>
    /// <param name="from">The store, as the configuration names it.</param>
    /// <param name="to">Where to, likewise; nothing is there yet.</param>
    /// <param name="origin">Who, with which command, and why.</param>
    /// <exception cref="StoreException">It was not moved, and is used as before; the message says what to do next.</exception>
    public static StoreMove Run(string from, string to, ChangeOrigin origin, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(time);
        using var session = EngineChoice.For(from).Open(StoreAccess.Write, null, evenMoved: true);
        session.Guard(session.BeginMove);
        try
        {
            return session.Guard(() =>
            {
                RefuseMoved(session);
                var before = AuditLog.Head(session.Connection);
                var target = EngineChoice.For(to);
                var now = time.GetUtcNow();
                ChangeReceipt? receipt = null;
                if (target.Exists())
                    RefuseOther(session, target, before);
                else
                    target.Create(now, into => receipt = Fill(session, into, before, origin, now));
                Mark(session, to, now);
                session.Commit();
                return new StoreMove(session.StoreId, before, new DestinationTable(session.Connection).Count(), receipt);
            });
        }
        catch
        {
            session.Rollback();
            throw;
        }
    }

    /// <summary>Says whether it could be moved, as far as that can be told without doing it.</summary>
    /// <inheritdoc cref="Run"/>
    public static StoreMove Try(string from, string to)
    {
        using var session = EngineChoice.For(from).Open(StoreAccess.Read, null, evenMoved: true);
        return session.InOneMoment(() =>
        {
            RefuseMoved(session);
            var before = AuditLog.Head(session.Connection);
            var target = EngineChoice.For(to);
            if (target.Exists())
                RefuseOther(session, target, before);
            return new StoreMove(session.StoreId, before, new DestinationTable(session.Connection).Count(), null);
        });
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
            session.Guard(() =>
            {
                session.Connection.Execute("UPDATE store SET moved_to = NULL, moved_at = NULL WHERE id = 1");
                session.Connection.Execute("UPDATE schema_version SET writable_from = writable_from - @Nobody WHERE writable_from > @Nobody", new { Nobody });
            });
            var change = new StoreChange(session, session.StoreId, origin, PostfixSettings.Default, time.GetUtcNow(), onRecord: null);
            change.Append(AuditAction.Migrate, null);
            return change.Commit();
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

    private static ChangeReceipt Fill(StoreSession from, StoreSession into, AuditHead head, ChangeOrigin origin, DateTimeOffset now)
    {
        StoreCopy.Rows(from, into);
        Compare(from, into);
        var change = new StoreChange(into, from.StoreId, origin, PostfixSettings.Default, now, onRecord: null);
        change.Append(AuditAction.Migrate, AuditLog.Accepting(Identity(from, head)));
        return change.Commit();
    }

    private static void RefuseMoved(StoreSession session)
    {
        if (session.FindMoved() is { } moved)
            throw new StoreException(StoreFault.Moved, $"{moved.Message}. Nothing was changed; where that one is lost, 'policyctl store migrate --take-back' uses this one again");
    }

    /// <summary>Lets a copy pass that an interrupted migration left whole, and whose source was not changed since.</summary>
    private static void RefuseOther(StoreSession session, StoreEngine target, AuditHead head)
    {
        using var found = target.Open(StoreAccess.Read, null, evenMoved: true);
        var isCopy = found.StoreId == session.StoreId;
        var isWhole = isCopy && found.InOneMoment(() =>
            found.FindMoved() is null && AuditLog.Head(found.Connection).Sequence == head.Sequence + 1 && AuditLog.Migrated(found.Connection, Identity(session, head)));
        if (isWhole)
            return;
        throw new StoreException(
            StoreFault.Exists,
            isCopy
                ? $"{target.Path}: there is this same store, of another state; nothing was changed. Where a migration was interrupted and this store was changed since, or the other is an old one, remove it (dropdb and createdb, or rm), or name another place; then run this command again"
                : $"{target.Path}: there is another store already; nothing was changed. Name a place where none is");
    }

    private static void Mark(StoreSession session, string to, DateTimeOffset now)
    {
        session.Connection.Execute("UPDATE store SET moved_to = @to, moved_at = @at WHERE id = 1", new { to, at = now.Seconds() });
        session.Connection.Execute(
            "UPDATE schema_version SET writable_from = writable_from + @Nobody WHERE version = (SELECT max(version) FROM schema_version)", new { Nobody });
    }

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
/// <param name="Receipt">The row of the audit log there that says so; null where an earlier run wrote it, or nothing was done yet.</param>
public sealed record StoreMove(string StoreId, AuditHead Head, long Destinations, ChangeReceipt? Receipt);
