using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Faults;
using SQLitePCL;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>The connection that watches the store for changes. It never writes, so that PRAGMA data_version changes with every commit of others.</summary>
internal sealed class SqliteWatch : IDisposable
{
    private readonly FileSignature? log;

    private SqliteWatch(SqliteSession session, FileSignature signature)
    {
        Session = session;
        Signature = signature;
        log = FileSignature.Of(session.Path + SqliteSession.LogSuffix);
    }

    internal SqliteSession Session { get; }

    /// <summary>The file behind the open handle, as it was when it was opened.</summary>
    internal FileSignature Signature { get; }

    /// <summary>Why nobody can write the store; null where somebody can. Such a store is opened as immutable; whoever writes it after all makes a log, which is noticed.</summary>
    internal StoreException? OnlyRead => Session.OnlyRead;

    /// <exception cref="StoreException">It cannot be opened.</exception>
    internal static SqliteWatch Open(string path, TimeSpan patience)
    {
        for (var attempt = 0; ; attempt++)
        {
            // The path may get another file while it is opened; the handle must belong to the signature.
            var before = FileSignature.Of(path);
            var session = OpenSession(path, patience);
            var after = FileSignature.Of(path);
            if (before is not null && after is not null && before.SameFile(after))
                return new SqliteWatch(session, after);
            session.Dispose();
            if (attempt > 0)
                throw SqliteFaults.Missing(path);
        }
    }

    /// <summary>The value of PRAGMA data_version, which differs from its last one after another connection has committed.</summary>
    internal long DataVersion() => Session.Guard(() => Session.Connection.ExecuteScalar<long>("PRAGMA data_version"));

    /// <summary>
    /// True where the write-ahead log is no longer the file that this connection reads: somebody removed it, and what others
    /// commit from now on stands in another one. SQLite itself does so only when nobody has the database open.
    /// </summary>
    internal bool LogIsGone() =>
        log is not null && FileSignature.Of(Session.Path + SqliteSession.LogSuffix) is var now && (now is null || !now.SameFile(log));

    /// <summary>True where a log appeared that this connection knows nothing of.</summary>
    internal bool LogAppeared() => log is null && FileSignature.Of(Session.Path + SqliteSession.LogSuffix) is not null;

    /// <summary>
    /// Closes after another file took the database's place while its write-ahead log stayed behind: SQLite would play that log into
    /// the new one. What it holds goes where it belongs, into the old file, and an empty one remains.
    /// </summary>
    internal void Supersede()
    {
        try
        {
            if (!LogIsGone())
                Session.Connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException)
        {
            // The old file cannot be written; the new file's integrity check follows in any case.
        }

        Session.Dispose();
    }

    /// <summary>
    /// Closes without the checkpoint that SQLite makes for the last connection: what lies under the path may no longer be the
    /// database that the log belongs to, and pages of the log would be written into it.
    /// </summary>
    internal void Abandon()
    {
        _ = raw.sqlite3_db_config(Session.Handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, out _);
        Session.Dispose();
    }

    public void Dispose() => Session.Dispose();

    private static SqliteSession OpenSession(string path, TimeSpan patience)
    {
        try
        {
            return SqliteSession.Open(path, StoreAccess.Read, patience);
        }
        catch (StoreException error) when (error.Kind == StoreFault.Older)
        {
            // The daemon of a new version brings the store up to date; opening for writing does it.
            SqliteSession.Open(path, StoreAccess.Write, patience).Dispose();
            return SqliteSession.Open(path, StoreAccess.Read, patience);
        }
    }
}
