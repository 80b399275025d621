using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Faults;
using SQLitePCL;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>The connection that watches the store for changes. It never writes, so that PRAGMA data_version changes with every commit of others.</summary>
/// <remarks>A poll costs one PRAGMA and two statx(2). A store that nobody can write is opened as immutable; whoever writes it after all makes a
/// log, which is noticed.</remarks>
internal sealed class SqliteWatch : StoreWatch
{
    private readonly SqliteSession session;

    // The file behind the open handle, and its log, as they were when they were opened.
    private readonly FileSignature signature;
    private readonly FileSignature? log;

    private FileSignature? seen;
    private long? dataVersion;

    private SqliteWatch(SqliteSession session, FileSignature signature)
        : base(session)
    {
        this.session = session;
        this.signature = signature;
        seen = signature;
        log = FileSignature.Of(session.Path + SqliteSession.LogSuffix);
    }

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

    internal override StoreMovement Poll()
    {
        var now = FileSignature.Of(session.Path);
        if (now is null || !now.SameFile(signature))
            return StoreMovement.Replaced;
        if (LogIsAnother())
            return StoreMovement.Disturbed;
        var version = DataVersion();
        if (version != dataVersion)
        {
            dataVersion = version;
            return StoreMovement.Committed;
        }

        // The file changed though nobody committed: a checkpoint, or somebody wrote over it. A new connection will tell.
        return now == seen ? StoreMovement.None : StoreMovement.Disturbed;
    }

    internal override void WasRead() => seen = FileSignature.Of(session.Path);

    /// <summary>
    /// Closes after another file took the database's place while its write-ahead log stayed behind: SQLite would play that log into
    /// the new one. What it holds goes where it belongs, into the old file, and an empty one remains.
    /// </summary>
    internal override void Supersede()
    {
        try
        {
            if (log is null || !LogIsAnother())
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
    internal override void Abandon()
    {
        _ = raw.sqlite3_db_config(session.Handle, raw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, out _);
        Session.Dispose();
    }

    /// <summary>The value of PRAGMA data_version, which differs from its last one after another connection has committed.</summary>
    private long DataVersion() => session.Guard(() => session.Connection.ExecuteScalar<long>("PRAGMA data_version"));

    /// <summary>
    /// True where the write-ahead log is no longer the file that this connection reads: somebody removed it, and what others
    /// commit from now on stands in another one. SQLite itself does so only when nobody has the database open. Also where one appeared
    /// that this connection knows nothing of.
    /// </summary>
    private bool LogIsAnother() =>
        FileSignature.Of(session.Path + SqliteSession.LogSuffix) is var now && (log is null ? now is not null : now is null || !now.SameFile(log));

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
