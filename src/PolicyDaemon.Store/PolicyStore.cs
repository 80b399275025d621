using System.Text.Json;
using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Store;

/// <summary>The store: destinations, pins, their history and findings, in one SQLite database.</summary>
/// <remarks>
/// One object is one connection: use it from one thread at a time, and never on the lookup path. Every method throws
/// <see cref="StoreException"/> where the store cannot be used; its message says what to do next.
/// </remarks>
[DapperAot]
public sealed class PolicyStore : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly DestinationTable destinations;
    private readonly TimeProvider time;
    private ProbeStateReader? probeState;

    private PolicyStore(string path, SqliteConnection connection, string storeId, TimeProvider time, StoreException? onlyRead, bool immutable)
    {
        OnlyRead = onlyRead;
        IsImmutable = immutable;
        Path = path;
        StoreId = storeId;
        this.connection = connection;
        this.time = time;
        destinations = new DestinationTable(connection);
    }

    /// <summary>The database file.</summary>
    public string Path { get; }

    /// <summary>A random identity, made with the store; a copy has the same.</summary>
    public string StoreId { get; }

    /// <summary>Why nobody can write the store now (a read-only or full file system), so that it is read as it lies; null where somebody can.</summary>
    public StoreException? OnlyRead { get; }

    /// <summary>True where SQLite takes the file for one that nobody changes: what is changed all the same may be read in pieces.</summary>
    internal bool IsImmutable { get; }

    internal SqliteConnection Connection => connection;

    internal DestinationTable Destinations => destinations;

    /// <summary>Makes a new store, and the directory for it where there is none. Refuses an existing file.</summary>
    public static PolicyStore Create(string path, Actor actor, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        try
        {
            StoreCreation.Create(path, actor, time.GetUtcNow());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or SqliteException)
        {
            throw StoreFaults.From(error, path);
        }

        return Open(path, StoreAccess.Write, time);
    }

    /// <summary>Opens an existing store.</summary>
    public static PolicyStore Open(string path, StoreAccess access, TimeProvider time) => Open(path, access, time, null);

    internal static PolicyStore Open(string path, StoreAccess access, TimeProvider time, TimeSpan? patience)
    {
        try
        {
            return Open(path, access, time, patience, null);
        }
        catch (StoreException error) when (access == StoreAccess.Read && error.Kind is StoreFault.ReadOnly or StoreFault.Full)
        {
            // SQLite reads a store with a log only where it can keep an index beside it. After the last program closed the store
            // there is no log, and the file is all there is.
            return FileSignature.Of(path + StoreConnection.LogSuffix) is { Size: > 0 }
                ? throw new StoreException(
                    error.Kind,
                    $"{error.Message}; {path}{StoreConnection.LogSuffix} holds changes that cannot be read here: copy both files to another place and name the copy with --database",
                    error)
                : Open(path, access, time, patience, error);
        }
    }

    private static PolicyStore Open(string path, StoreAccess access, TimeProvider time, TimeSpan? patience, StoreException? onlyRead)
    {
        var connection = StoreConnection.Open(path, access, patience, immutable: onlyRead is not null);
        try
        {
            return new PolicyStore(
                path, connection, StoreVersion.Check(connection, path, access), time,
                onlyRead ?? StoreConnection.OnlyRead(connection, path), immutable: onlyRead is not null);
        }
        catch (SqliteException error)
        {
            var fault = StoreFaults.From(error, path, connection);
            connection.Dispose();
            throw fault;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The end of the audit log.</summary>
    public AuditHead Head() => Guard(() => AuditLog.Head(connection));

    public Destination? Find(NextHop key) => Guard(() => destinations.Find(key.Text)?.Get(Path));

    /// <summary>All destinations in the order of their keys, streaming: nothing else may be asked of this object meanwhile.</summary>
    /// <param name="pattern">Over the canonical key: <c>*</c> any characters, <c>?</c> one; null for all.</param>
    public IEnumerable<Destination> List(string? pattern = null) =>
        Guarded(destinations.List(DestinationTable.LikePattern(pattern))).Select(stored => stored.Get(Path));

    /// <summary>Other keys with the same bare host: with or without brackets, or with another port.</summary>
    public IReadOnlyList<Destination> OtherForms(NextHop key) => Guard(() => destinations.OfHost(DestinationTable.HostOf(key))
        .Where(stored => stored.Key != key.Text).Select(stored => stored.Get(Path)).ToList());

    public long Count() => Guard(destinations.Count);

    public StoreCounts Counts() => Guard(() => new StoreCounts(
        destinations.Count(),
        destinations.CountObserved(),
        destinations.CountByLevel().Where(row => TlsLevels.TryParse(row.Name, out _))
            .ToDictionary(row => TlsLevels.TryParse(row.Name, out var level) ? level : default, row => row.Count),
        destinations.CountPinsByState().Where(row => PinNames.TryParse(row.Name, out PinState _))
            .ToDictionary(row => PinNames.TryParse(row.Name, out PinState state) ? state : default, row => row.Count)));

    /// <summary>Lets the next changes keep up to 256 MiB of the database in memory: rows in no order touch pages all over it.</summary>
    /// <remarks>With SQLite's usual 2 MiB a large import writes most pages to the log several times. Lasts as long as this object.</remarks>
    public void PrepareForBulk() => Guard(() =>
    {
        connection.Execute("PRAGMA cache_size = -262144");
        return true;
    });

    /// <summary>Begins a change: takes the store's one write lock, waiting for another writer for a few seconds.</summary>
    /// <param name="origin">Who, with which command, and why.</param>
    /// <param name="postfix">For which Postfix it is judged whether an entry can be served, and its answers are recorded.</param>
    public StoreChange BeginChange(ChangeOrigin origin, PostfixSettings postfix)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(postfix);
        return Guard(() =>
        {
            connection.Execute("BEGIN IMMEDIATE");
            return new StoreChange(connection, Path, StoreId, origin, postfix, time.GetUtcNow());
        });
    }

    /// <summary>What a change of one key would mean now; for a dry run. A change judges again, see <see cref="StoreChange.Judge"/>.</summary>
    /// <param name="key">The key.</param>
    /// <param name="after">The destination as it would be; null to remove it.</param>
    /// <param name="postfix">The Postfix that asks.</param>
    public JudgedChange Judge(NextHop key, Destination? after, PostfixSettings postfix) => Guard(() =>
    {
        var stored = destinations.Find(key.Text);
        if (after is not null)
            stored?.Get(Path);
        return new JudgedChange(key, stored, after, postfix, other => destinations.Find(other.Text)?.Get(Path));
    });

    /// <summary>The audit log, newest first.</summary>
    /// <param name="key">One key's rows only.</param>
    /// <param name="limit">At most so many rows.</param>
    public IEnumerable<AuditRow> Audit(NextHop? key = null, int? limit = null) => Guarded(
        key is { } one ? AuditLog.NewestOf(connection, one.Text, limit ?? -1) : AuditLog.Newest(connection, limit ?? -1));

    /// <summary>The rows of one change, oldest first; empty where there is no such change.</summary>
    public IReadOnlyList<AuditRow> Change(long changeId) => Guard(() => AuditLog.OfChange(connection, changeId).ToList());

    /// <summary>What taking a change back would do now; for a dry run. A change plans again, see <see cref="StoreChange.PlanUndo"/>.</summary>
    public UndoPlan PlanUndo(long changeId) => Guard(() => UndoPlanner.Plan(connection, destinations, changeId));

    /// <summary>Checks the whole audit chain, and that the present entries are those the log leads to.</summary>
    /// <param name="headHash">A hash kept elsewhere that must stand in the chain; null where none was kept.</param>
    /// <param name="progress">Told how many rows are checked.</param>
    public AuditVerification VerifyAudit(string? headHash = null, IProgress<long>? progress = null) =>
        Guard(() => AuditVerifier.Verify(connection, StoreId, headHash, progress));

    /// <summary>Writes a consistent copy while everything runs. Refuses to overwrite.</summary>
    public void Backup(string file) => StoreBackup.Write(connection, Path, file);

    /// <summary>Checks every page, index and reference of the database.</summary>
    /// <exception cref="StoreException">Kind <see cref="StoreFault.Damaged"/>: they do not fit together.</exception>
    public void CheckIntegrity() => Guard(() => StoreVersion.CheckIntegrity(connection, Path));

    public IReadOnlyList<OpenFinding> OpenFindings() => Guard(() => FindingTable.Open(connection));

    /// <summary>What the prober knows of a destination; null where it is not configured.</summary>
    public ProbeState? ReadProbeState(NextHop key) => Guard(() => (probeState ??= new ProbeStateReader(connection)).Read(key));

    /// <summary>What the prober knows of every destination that it looked at, in short.</summary>
    public IReadOnlyDictionary<NextHop, ProbeSummary> ReadSummaries() =>
        Guard(() => (probeState ??= new ProbeStateReader(connection)).Summaries());

    /// <summary>How many destinations have each verdict; those that were never looked at are in none.</summary>
    /// <param name="observed">Of those that are only observed, or of those that are enforced.</param>
    public IReadOnlyDictionary<DestinationVerdict, long> CountVerdicts(bool observed) => Guard(() =>
        (probeState ??= new ProbeStateReader(connection)).CountVerdicts(observed)
            .Where(row => DestinationVerdicts.TryParse(row.Name, out _))
            .ToDictionary(row => DestinationVerdicts.TryParse(row.Name, out var verdict) ? verdict : default, row => row.Count));

    /// <summary>The last observations of a destination's addresses, newest first.</summary>
    public IReadOnlyList<StoredObservation> ReadObservations(NextHop key) => Guard(() => ObservationReader.Read(connection, key.Text));

    /// <summary>Why each pin of a destination is in its state, as far as the audit log says.</summary>
    public IReadOnlyDictionary<Fingerprint, PinEvidence> ReadEvidence(NextHop key) => Guard(() => EvidenceReader.Read(connection, key.Text));

    /// <summary>Opens a finding, or counts one more occurrence of the open one with its kind and subject.</summary>
    public void RaiseFinding(Finding finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        Guard(() =>
        {
            FindingTable.Raise(connection, finding, time.GetUtcNow());
            return true;
        });
    }

    /// <returns>False where none was open.</returns>
    public bool CloseFinding(FindingKind kind, string subject) =>
        Guard(() => FindingTable.Close(connection, kind, subject, time.GetUtcNow()));

    public void Dispose()
    {
        destinations.Dispose();
        probeState?.Dispose();
        connection.Dispose();
    }

    private T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException error)
        {
            throw StoreFaults.From(error, Path, connection);
        }
        catch (Exception error) when (error is FormatException or JsonException)
        {
            throw StoreFaults.Damaged(Path, error.Message, error);
        }
    }

    private IEnumerable<T> Guarded<T>(IEnumerable<T> rows)
    {
        using var row = Guard(rows.GetEnumerator);
        while (Guard(row.MoveNext))
            yield return row.Current;
    }
}
