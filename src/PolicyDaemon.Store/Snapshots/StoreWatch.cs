using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Serving;
using SQLitePCL;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>The one connection that only looks: it never writes, so that PRAGMA data_version tells of everybody else's commits.</summary>
[DapperAot]
internal sealed class StoreWatch : IDisposable
{
    private readonly PolicyStore store;

    private readonly FileSignature? log;

    private StoreWatch(PolicyStore store, FileSignature signature)
    {
        this.store = store;
        Signature = signature;
        log = FileSignature.Of(store.Path + StoreConnection.LogSuffix);
    }

    /// <summary>The file behind the open handle, as it was when it was opened.</summary>
    internal FileSignature Signature { get; }

    internal DestinationTable Destinations => store.Destinations;

    /// <exception cref="StoreException">It cannot be opened.</exception>
    internal static StoreWatch Open(SnapshotLoaderOptions options, TimeProvider time)
    {
        for (var attempt = 0; ; attempt++)
        {
            // The path may get another file while it is opened; the handle must belong to the signature.
            var before = FileSignature.Of(options.Database);
            var store = OpenStore(options, time);
            var after = FileSignature.Of(options.Database);
            if (before is not null && after is not null && before.SameFile(after))
                return new StoreWatch(store, after);
            store.Dispose();
            if (attempt > 0)
                throw StoreFaults.Missing(options.Database);
        }
    }

    /// <summary>Differs from its last value after another connection committed.</summary>
    internal long DataVersion() => Read(() => store.Connection.ExecuteScalar<long>("PRAGMA data_version"));

    /// <summary>
    /// True where the write-ahead log is no longer the file that this connection reads: somebody removed it, and what others
    /// commit from now on stands in another one. SQLite itself does so only when nobody has the database open.
    /// </summary>
    internal bool LogIsGone() => log is not null && FileSignature.Of(store.Path + StoreConnection.LogSuffix) is var now && (now is null || !now.SameFile(log));

    /// <summary>Why nobody can write the store; null where somebody can. Such a store is read as it lies: who writes it after all makes a log.</summary>
    internal StoreException? OnlyRead => store.OnlyRead;

    /// <summary>True where a log appeared that this connection knows nothing of.</summary>
    internal bool LogAppeared() => log is null && FileSignature.Of(store.Path + StoreConnection.LogSuffix) is not null;

    internal void CheckIntegrity() => store.CheckIntegrity();

    /// <summary>Runs in one read transaction, so that everything it reads is of one moment.</summary>
    internal T InOneMoment<T>(Func<T> work) => Read(() =>
    {
        store.Connection.Execute("BEGIN DEFERRED");
        try
        {
            var result = work();
            return store.IsImmutable && (LogAppeared() || FileSignature.Of(store.Path) != Signature)
                ? throw new StoreException(StoreFault.Unavailable, $"{store.Path}: it was changed while it was read; it is read again")
                : result;
        }
        finally
        {
            store.Connection.Execute("ROLLBACK");
        }
    });

    internal AuditHead Head() => AuditLog.Head(store.Connection);

    internal string StoreId() => store.Connection.QueryFirstOrDefault<string>("SELECT store_id FROM store WHERE id = 1")
        ?? throw StoreFaults.Damaged(store.Path, "it has no identity");

    /// <summary>True where this store's log continues from what was loaded.</summary>
    internal bool Continues(SnapshotIdentity loaded, string storeId) =>
        loaded.StoreId == storeId && (loaded.Sequence == 0 || AuditLog.HashAt(store.Connection, loaded.Sequence) == loaded.Hash);

    /// <summary>True where a person accepted this store in place of what was loaded.</summary>
    internal bool IsAcceptedInPlaceOf(SnapshotIdentity loaded) => AuditLog.Accepts(store.Connection, loaded);

    internal IEnumerable<AuditRow> RowsAfter(long sequence) => AuditLog.After(store.Connection, sequence);

    /// <summary>
    /// Closes after another file took the database's place while its write-ahead log stayed behind: SQLite would play that log into
    /// the newcomer. What it holds goes where it belongs, into the old file, and an empty one remains.
    /// </summary>
    internal void Supersede()
    {
        try
        {
            if (!LogIsGone())
                store.Connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException)
        {
            // The old file cannot be written; the newcomer's integrity check follows in any case.
        }

        store.Dispose();
    }

    /// <summary>
    /// Closes without the checkpoint that SQLite makes for the last connection: what lies under the path may no longer be the
    /// database that the log belongs to, and pages of the log would be written into it.
    /// </summary>
    internal void Abandon()
    {
        _ = raw.sqlite3_db_config(store.Connection.Handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, out _);
        store.Dispose();
    }

    public void Dispose() => store.Dispose();

    private static PolicyStore OpenStore(SnapshotLoaderOptions options, TimeProvider time)
    {
        try
        {
            return PolicyStore.Open(options.Database, StoreAccess.Read, time, options.Patience);
        }
        catch (StoreException error) when (error.Kind == StoreFault.Older)
        {
            // The daemon of a new version brings the store up to date; opening for writing does it.
            PolicyStore.Open(options.Database, StoreAccess.Write, time, options.Patience).Dispose();
            return PolicyStore.Open(options.Database, StoreAccess.Read, time, options.Patience);
        }
    }

    private T Read<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException error)
        {
            throw StoreFaults.From(error, store.Path, store.Connection);
        }
    }
}
