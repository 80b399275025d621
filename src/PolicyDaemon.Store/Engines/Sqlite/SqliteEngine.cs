using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>Keeps a store in an SQLite database, one file on this machine.</summary>
/// <remarks>
/// <code>
/// a new store, a copy     SqliteFile       faults                        SqliteFaults, ReadingFault
/// sessions                SqliteSession    statements that are kept      PreparedConnection
/// schema, migrations      SqliteSchema     the changes of others         SqliteWatch
/// </code>
/// </remarks>
internal sealed class SqliteEngine(string path) : StoreEngine(path)
{
    internal override void Create(DateTimeOffset now, Action<StoreSession> fill) => SqliteFile.Create(Path, now, fill);

    internal override void CheckCreate(IReadOnlyList<string> tables, IReadOnlyList<string> replaced) => SqliteFile.CheckCreate(Path);

    internal override StoreSession Open(StoreAccess access, TimeSpan? patience = null, bool evenMoved = false) => SqliteSession.Open(Path, access, patience, evenMoved);

    internal override SchemaChange Upgrade(bool dryRun, TimeSpan? patience = null)
    {
        var before = SqliteSession.VersionOf(Path);
        // A newer one is none that this program could change.
        if (!dryRun || before >= SqliteSchema.Newest)
            SqliteSession.Open(Path, StoreAccess.Write, patience).Dispose();
        return new SchemaChange(before, Math.Max(before, SqliteSchema.Newest));
    }

    internal override StoreWatch Watch(TimeSpan patience) => SqliteWatch.Open(Path, patience);

    internal override FileSignature? Signature() => FileSignature.Of(Path);

    internal override bool Exists() => System.IO.Path.Exists(Path);

    internal override IReadOnlyList<string> Files() => SqliteFile.Of(Path);

    internal override StoreStamp? Stamp() => new FileStamp(FileSignature.Of(Path), FileSignature.Of(Path + SqliteSession.LogSuffix));

    internal override void SweepDrafts() => FileDraft.Sweep(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!);

    /// <summary>The database and its write-ahead log, into which commits go first: two statx(2).</summary>
    private sealed record FileStamp(FileSignature? Database, FileSignature? Log) : StoreStamp;
}
