using System.Data.Common;
using System.Net;
using Dapper;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Auditing;
using PolicyDaemon.Store.Browsing;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Documents;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Findings;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Store;

/// <summary>The store: destinations, pins, their history and findings.</summary>
/// <remarks>
/// One object is one connection: use it from one thread at a time, and never on the lookup path. Every method throws
/// <see cref="StoreException"/> where the store cannot be used; its message says what to do next.
/// </remarks>
public sealed class PolicyStore : IDisposable
{
    private readonly StoreSession session;
    private readonly DestinationTable destinations;
    private readonly ProbeStateReader probeState;
    private readonly TimeProvider time;
    private readonly OnRecord onRecord;

    internal PolicyStore(StoreSession session, TimeProvider time)
    {
        this.session = session;
        this.time = time;
        destinations = new DestinationTable(session.Connection);
        probeState = new ProbeStateReader(session.Connection, time);
        onRecord = RecordOf(session.Connection, time);
    }

    /// <summary>The database file.</summary>
    public string Path => session.Path;

    /// <summary>A random identity, made with the store; a copy has the same.</summary>
    public string StoreId => session.StoreId;

    /// <summary>Why nobody can write the store now (a read-only or full file system), so that it is read as it lies; null where somebody can.</summary>
    public StoreException? OnlyRead => session.OnlyRead;

    /// <summary>Why a failover may lose changes that were acknowledged, and what to do; null where it cannot, or there is nothing to fail over to.</summary>
    public string? FailoverRisk => session.Guard(session.FailoverRisk);

    /// <summary>Makes a new store, and the directory for it where there is none. Refuses an existing file.</summary>
    public static PolicyStore Create(string path, Actor actor, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        var now = time.GetUtcNow();
        EngineChoice.For(path).Create(now, session => Fill(session, actor, now));
        return Open(path, StoreAccess.Write, time);
    }

    /// <summary>Opens an existing store.</summary>
    public static PolicyStore Open(string path, StoreAccess access, TimeProvider time) => Open(path, access, time, null);

    internal static PolicyStore Open(string path, StoreAccess access, TimeProvider time, TimeSpan? patience) =>
        new(EngineChoice.For(path).Open(access, patience), time);

    /// <summary>The end of the audit log.</summary>
    public AuditHead Head() => session.Guard(() => AuditLog.Head(session.Connection));

    /// <summary>The entry as it stands in the store, perhaps with an end that has come and is not written yet: for whoever changes it.</summary>
    public Destination? Find(NextHop key) => session.Guard(() => destinations.Find(key.Text)?.Get(Path));

    /// <summary>The entry as it is in force now, by the clock; null where it is gone: for whoever shows or judges it.</summary>
    public Destination? FindInForce(NextHop key) => Find(key)?.At(time.GetUtcNow());

    /// <summary>As <see cref="List"/>, each as it is in force now.</summary>
    public IEnumerable<Destination> ListInForce(string? pattern = null)
    {
        var now = time.GetUtcNow();
        return List(pattern).Select(destination => destination.At(now)).OfType<Destination>();
    }

    /// <summary>All destinations in the order of their keys, streaming: nothing else may be asked of this object meanwhile.</summary>
    /// <param name="pattern">Over the canonical key: <c>*</c> any characters, <c>?</c> one; null for all.</param>
    public IEnumerable<Destination> List(string? pattern = null) =>
        session.Guard(destinations.List(DestinationTable.LikePattern(pattern))).Select(stored => stored.Get(Path));

    /// <summary>Other keys with the same bare host: with or without brackets, or with another port.</summary>
    public IReadOnlyList<Destination> OtherForms(NextHop key) => session.Guard(() => destinations.OfHost(DestinationTable.HostOf(key))
        .Where(stored => stored.Key != key.Text).Select(stored => stored.Get(Path)).ToList());

    public long Count() => session.Guard(destinations.Count);

    /// <summary>The entries that end by themselves, the next one first; those that have ended are none any more.</summary>
    /// <param name="limit">At most so many.</param>
    public IReadOnlyList<Destination> ReadTemporary(int limit) =>
        session.Guard(() => destinations.Temporary(time.GetUtcNow(), limit).Where(stored => stored.Value is not null).Select(stored => stored.Value!).ToList());

    public StoreCounts Counts() => session.Guard(() =>
    {
        var (all, observed, temporary, byLevel) = destinations.CountAt(time.GetUtcNow());
        var byState = destinations.CountPinsByState().Where(row => PinNames.TryParse(row.Name, out PinState _))
            .ToDictionary(row => PinNames.TryParse(row.Name, out PinState state) ? state : default, row => row.Count);
        return new StoreCounts(all, observed, temporary, byLevel, byState);
    });

    /// <summary>Makes room for changes of many keys at once. Lasts as long as this object.</summary>
    public void PrepareForBulk() => session.Guard(session.PrepareForBulk);

    /// <summary>Begins a change: takes the store's one write lock, waiting for another writer for a few seconds.</summary>
    /// <param name="origin">Who, with which command, and why.</param>
    /// <param name="postfix">For which Postfix it is judged whether an entry can be served, and its answers are recorded.</param>
    public StoreChange BeginChange(ChangeOrigin origin, PostfixSettings postfix)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(postfix);
        return session.Guard(() =>
        {
            session.BeginWrite();
            return new StoreChange(session, StoreId, origin, postfix, time.GetUtcNow(), connection => RecordOf(connection, time));
        });
    }

    /// <summary>What a change of one key would mean now; for a dry run. A change judges again, see <see cref="StoreChange.Judge"/>.</summary>
    /// <param name="key">The key.</param>
    /// <param name="after">The destination as it would be; null to remove it.</param>
    /// <param name="postfix">The Postfix that asks.</param>
    /// <param name="acceptsUnsigned">A person says that its zone is not signed any more on purpose.</param>
    public JudgedChange Judge(NextHop key, Destination? after, PostfixSettings postfix, bool acceptsUnsigned = false) => session.Guard(() =>
    {
        var stored = destinations.Find(key.Text);
        if (after is not null)
            stored?.Get(Path);
        return new JudgedChange(key, stored, after, postfix, other => destinations.Find(other.Text)?.Get(Path), onRecord, time.GetUtcNow(), acceptsUnsigned);
    });

    /// <summary>Opens the store once more, to judge many keys for a dry run, all of one moment.</summary>
    /// <exception cref="StoreException">It cannot be opened.</exception>
    public JudgeAhead JudgeAhead(ChangeOrigin origin, PostfixSettings postfix)
    {
        var own = EngineChoice.For(Path).Open(StoreAccess.Read, null);
        try
        {
            return new JudgeAhead(own, StoreId, origin, postfix, time.GetUtcNow(), RecordOf(own.Connection, time));
        }
        catch
        {
            own.Dispose();
            throw;
        }
    }

    /// <summary>The audit log, newest first.</summary>
    /// <param name="key">One key's rows only.</param>
    /// <param name="limit">At most so many rows.</param>
    public IEnumerable<AuditRow> Audit(NextHop? key = null, int? limit = null) => session.Guard(
        key is { } one ? AuditLog.NewestOf(session.Connection, one.Text, limit ?? long.MaxValue) : AuditLog.Newest(session.Connection, limit ?? long.MaxValue));

    /// <summary>The rows of one change, oldest first; empty where there is no such change.</summary>
    public IReadOnlyList<AuditRow> Change(long changeId) => session.Guard(() => AuditLog.OfChange(session.Connection, changeId).ToList());

    /// <summary>What taking a change back would do now; for a dry run. A change plans again, see <see cref="StoreChange.PlanUndo"/>.</summary>
    /// <param name="progress">Told after each key how many are planned and how many there are.</param>
    public UndoPlan PlanUndo(long changeId, IProgress<(int Done, int All)>? progress = null) =>
        session.Guard(() => UndoPlanner.Plan(session.Connection, destinations, changeId, time.GetUtcNow(), progress));

    /// <summary>Checks the whole audit chain, and that the present entries are those the log leads to.</summary>
    /// <param name="headHash">A hash kept elsewhere that must stand in the chain; null where none was kept.</param>
    /// <param name="progress">Told how many rows are checked.</param>
    public AuditVerification VerifyAudit(string? headHash = null, IProgress<long>? progress = null) =>
        session.InOneMoment(() => AuditVerifier.Verify(session.Connection, StoreId, headHash, progress));

    /// <summary>Reads what the daemon of this machine serves where it does not follow this store, or served before it stopped.</summary>
    /// <param name="snapshotFile">Where it keeps the last good snapshot. Where there is none, one that an earlier configuration left beside counts.</param>
    /// <param name="reason">Why the file cannot be used; null where there is none.</param>
    /// <returns>Null where there is none, so that it loads this store as it is.</returns>
    public PolicySnapshot? ReadLastGood(string snapshotFile, out string? reason) => LastGoodSnapshot.TryRead(snapshotFile, out var last, out reason)
        ? last.Snapshot
        : session.InOneMoment(() => EarlierSnapshot.Find(snapshotFile, session))?.Read.Snapshot;

    /// <summary>True where a person has accepted this store in place of what was loaded last.</summary>
    /// <param name="lastLoaded">What was loaded last.</param>
    public bool IsAcceptedInPlaceOf(SnapshotIdentity lastLoaded) => session.Guard(() => AuditLog.Accepts(session.Connection, lastLoaded));

    /// <summary>True where a person has given up already what others had behind a row.</summary>
    /// <param name="sequence">The row.</param>
    public bool IsAcceptedAfter(long sequence) => session.Guard(() => AuditLog.AcceptsAfter(session.Connection, StoreId, sequence));

    /// <summary>Reads the audit log as it was at a moment, and what it had led to by then.</summary>
    /// <param name="at">The moment.</param>
    /// <param name="read">Reads it, in one moment of the store; nothing else may be asked of this object meanwhile.</param>
    public T ReadPast<T>(DateTimeOffset at, Func<AuditPast, T> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        return session.InOneMoment(() => read(new AuditPast(session.Connection, StoreId, at)));
    }

    /// <summary>Writes a consistent copy while everything runs. Refuses to overwrite.</summary>
    public void Backup(string file)
    {
        if (!session.TryBackup(file))
            StoreCopy.ToFile(session, file, time.GetUtcNow());
    }

    /// <summary>Checks every page, index and reference of the database.</summary>
    /// <exception cref="StoreException">Kind <see cref="StoreFault.Damaged"/>: they do not fit together.</exception>
    public void CheckIntegrity() => session.Guard(session.CheckIntegrity);

    /// <summary>The open findings about one destination, the oldest first.</summary>
    public IReadOnlyList<Finding> OpenFindings(NextHop key) => session.Guard(() => FindingTable.OpenAbout(session.Connection, key.Text, time.GetUtcNow()));

    /// <summary>The numbers of the open findings about one destination, by kind.</summary>
    public IReadOnlyDictionary<FindingKind, long> NumbersOfOpenFindings(NextHop key) => session.Guard(() => FindingTable.NumbersAbout(session.Connection, key.Text, time.GetUtcNow()));

    /// <summary>The open findings of one kind, the oldest first.</summary>
    public IReadOnlyList<FindingAlert> OpenFindings(FindingKind kind) => session.Guard(() => FindingTable.OpenOf(session.Connection, kind, time.GetUtcNow()));

    public IReadOnlyList<FindingAlert> OpenFindings() => session.Guard(() => FindingTable.Open(session.Connection, time.GetUtcNow()));

    /// <summary>Some open findings, in the order of their subjects and numbers; all of them in turns, for whoever must not hold all at once.</summary>
    /// <param name="after">Subject and number of the last one that is known already; an empty subject to begin with.</param>
    /// <param name="most">At most so many; fewer, even where more follow, if a later version wrote some of them.</param>
    public IReadOnlyList<FindingAlert> OpenFindings((string Subject, long Id) after, int most) =>
        session.Guard(() => FindingTable.OpenAfter(session.Connection, after.Subject, after.Id, most, time.GetUtcNow()));

    /// <summary>Whether a finding of a kind is open about a subject.</summary>
    /// <param name="node">Whose it is; null for one of all nodes.</param>
    public bool HasOpenFinding(FindingKind kind, string subject, string? node = null) =>
        session.Guard(() => FindingTable.IsOpen(session.Connection, kind, subject, node));

    /// <summary>What the prober knows of a destination; null where it is not configured.</summary>
    public ProbeState? ReadProbeState(NextHop key) => session.Guard(() => probeState.Read(key));

    /// <summary>The destinations behind a mail server, by what probes found; at most so many.</summary>
    /// <param name="host">The server's name in MX records; null where only its address is known.</param>
    /// <param name="address">Its address; null where only its name is known.</param>
    public IReadOnlyList<ServedDestination> FindBehind(string? host, IPAddress? address, int most) => session.Guard(() =>
    {
        if (address is null)
            return host is null ? [] : ServerTable.OfHost(session.Connection, host, most, time.GetUtcNow());
        // A target's name is address, colon and port; behind the colon come the semicolons.
        var name = new ProbeTarget(address, 1).Id[..^1];
        return ServerTable.OfAddress(session.Connection, name, name[..^1] + ";", most, time.GetUtcNow());
    });

    /// <summary>What the prober knows of every destination that it probed, in short.</summary>
    public IReadOnlyDictionary<NextHop, ProbeSummary> ReadSummaries() => session.Guard(probeState.Summaries);

    /// <summary>How many destinations have each verdict; those that were never probed are in none.</summary>
    /// <param name="observed">Of those that are only observed, or of those that are enforced.</param>
    public IReadOnlyDictionary<DestinationVerdict, long> CountVerdicts(bool observed) => session.Guard(() => probeState.CountVerdicts(observed));

    /// <summary>The last observations of a destination's addresses, newest first.</summary>
    public IReadOnlyList<StoredObservation> ReadObservations(NextHop key) => session.Guard(() => StoredObservation.Read(session.Connection, key.Text));

    /// <summary>Why each pin of a destination is in its state, as far as the audit log says.</summary>
    public IReadOnlyDictionary<Fingerprint, PinEvidence> ReadEvidence(NextHop key) => session.Guard(() => PinEvidence.Read(session.Connection, key.Text));

    /// <summary>Who put each pin of a destination into service or took it out of service last, as far as the audit log says.</summary>
    public IReadOnlyDictionary<Fingerprint, PinEvidence> ReadServiceEvidence(NextHop key) =>
        session.Guard(() => PinEvidence.ReadOfService(session.Connection, key.Text));

    /// <summary>The last changes of a destination with the states of its pins before and after, oldest first.</summary>
    public IReadOnlyList<StoredPinChange> ReadPinChanges(NextHop key, int most) => session.Guard(() => StoredPinChange.Read(session.Connection, key.Text, most));

    /// <summary>A page of destinations, in the order of their keys; at a bounded cost.</summary>
    /// <param name="after">The key behind which the page begins; empty for the first page.</param>
    public BrowsedPage Browse(BrowseFilter filter, string after, int most)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return session.Guard(() => BrowseTable.Page(session.Connection, filter, after, most, time.GetUtcNow()));
    }

    /// <summary>The certificates in use that end first within a time; goes through all certificates the first time.</summary>
    public IReadOnlyList<EndingCertificate> ReadEnding(EndingCertificates known, DateTimeOffset from, DateTimeOffset until, int most)
    {
        ArgumentNullException.ThrowIfNull(known);
        return session.Guard(() => (IReadOnlyList<EndingCertificate>)known.Read(session.Connection, from, until, most));
    }

    /// <summary>The pins whose state changes next, the newest first; goes through all pins.</summary>
    public IReadOnlyList<MovingPin> ReadMovingPins(int most) => session.Guard(() => MovingPin.Read(session.Connection, most));

    /// <summary>How many changes were made on each of the last days, the oldest first; the last one is today's.</summary>
    public IReadOnlyList<long> CountChangesPerDay(int days) => session.Guard(() => ChangeTimes.PerDay(session.Connection, time.GetUtcNow(), days));

    /// <summary>Rows of the audit log before a row, newest first.</summary>
    /// <param name="before">The number of the row; null for the end of the log.</param>
    /// <param name="key">One key's rows only.</param>
    public IReadOnlyList<AuditRow> AuditBefore(long? before, NextHop? key, int most) =>
        session.Guard(() => AuditLog.Before(session.Connection, before ?? long.MaxValue, key?.Text, most));

    /// <summary>A finding, open or closed, and those of its kind about its subject before and after it, the newest first; empty where there is none.</summary>
    public IReadOnlyList<FindingAlert> FindFinding(long id, int most) => session.Guard(() => FindingTable.WithHistory(session.Connection, id, most, time.GetUtcNow()));

    /// <summary>What discovery remembers under which more than "nothing" may be answered, a page in the order of the keys.</summary>
    /// <param name="after">The key behind which the page begins; empty for the first page.</param>
    /// <returns>The page, and the key behind which the next one begins; null where none follows.</returns>
    public (IReadOnlyList<Discovered> Page, string? Next) BrowseDiscovered(string after, int most) =>
        session.Guard(() => DiscoveredTable.Protected(session.Connection, after, most));

    /// <summary>What another destination makes of a key that this one shows: one that pins or refuses it, behind the same MX hosts before others; null
    /// where none does.</summary>
    public PinElsewhere? FindElsewhere(NextHop key, Fingerprint fingerprint) => session.Guard(() => PinsElsewhere.Find(session.Connection, key, fingerprint));

    /// <summary>The other destinations to which an MX host of this one shows a certificate now, and that have its pin as a candidate.</summary>
    /// <param name="key">The destination.</param>
    /// <param name="candidate">The pin.</param>
    /// <param name="certificate">The certificate, by the SHA-256 of the whole (<see cref="Core.Observations.ServerCertificate.Id"/>).</param>
    public IReadOnlyList<NextHop> ListShowing(NextHop key, Fingerprint candidate, Fingerprint certificate) =>
        session.Guard(() => PinsElsewhere.Showing(session.Connection, key, candidate, certificate));

    /// <summary>Opens a finding, or counts one more occurrence of the open one with its kind, subject and node.</summary>
    public void RaiseFinding(Finding finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        session.Guard(() => FindingTable.Raise(session.Connection, finding, time.GetUtcNow()));
    }

    /// <param name="node">Whose it is; null for one of all nodes.</param>
    /// <returns>False where none was open.</returns>
    public bool CloseFinding(FindingKind kind, string subject, string? node = null) =>
        session.Guard(() => FindingTable.Close(session.Connection, kind, subject, time.GetUtcNow(), node));

    /// <summary>What discovery remembers of a destination; null where nothing.</summary>
    public Discovered? FindDiscovered(NextHop key) => session.Guard(() => DiscoveredTable.Find(session.Connection, key.Text));

    /// <summary>Everything that discovery remembers, in the order of the keys, streaming: nothing else may be asked of this object meanwhile.</summary>
    /// <param name="onlyProtected">Only where a policy is kept or an MX host has TLSA records.</param>
    public IEnumerable<Discovered> ListDiscovered(bool onlyProtected = false) => session.Guard(DiscoveredTable.List(session.Connection, onlyProtected));

    /// <summary>How a destination's verdict changed, the newest first.</summary>
    public IReadOnlyList<StoredVerdictChange> ReadVerdictChanges(NextHop key, int most) =>
        session.Guard(() => DiscoveredTable.History(session.Connection, key.Text, most));

    /// <summary>Remembers what was discovered by another program than the daemon, which is told to read it.</summary>
    public void WriteDiscovered(IReadOnlyCollection<DiscoveredEntry> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        InTransaction(() =>
        {
            foreach (var entry in batch)
            {
                DiscoveredTable.Write(session.Connection, entry, time.GetUtcNow());
                DiscoveredTable.Notice(session.Connection, entry.Memory.Key.Text);
            }

            return true;
        });
    }

    /// <summary>Forgets what was discovered of a destination and settles the findings about that; how its verdict changed stays on record. The
    /// daemon is told.</summary>
    /// <returns>False where nothing was remembered.</returns>
    public bool ForgetDiscovered(NextHop key) => InTransaction(() =>
    {
        var was = DiscoveredTable.Remove(session.Connection, key.Text);
        FindingTable.Replace(session.Connection, key.Text, FindingSource.Discovery, [], time.GetUtcNow());
        DiscoveredTable.Notice(session.Connection, key.Text);
        return was;
    });

    public void Dispose() => session.Dispose();

    private T InTransaction<T>(Func<T> work) => session.Guard(() =>
    {
        session.BeginWrite();
        try
        {
            var result = work();
            session.Commit();
            return result;
        }
        catch
        {
            session.Rollback();
            throw;
        }
    });

    private static void Fill(StoreSession session, Actor actor, DateTimeOffset now)
    {
        var storeId = Guid.NewGuid().ToString("N");
        session.Connection.Execute("INSERT INTO store (id, store_id, created) VALUES (1, @storeId, @created)", new { storeId, created = now.Seconds() });
        using var change = new StoreChange(session, storeId, new ChangeOrigin(actor, "init"), PostfixSettings.Default, now, onRecord: null);
        change.Append(AuditAction.Init, null);
        change.Commit();
    }

    private static OnRecord RecordOf(DbConnection connection, TimeProvider time)
    {
        var probed = new ProbeStateReader(connection, time);
        return new OnRecord(key => FindingTable.OpenAbout(connection, key.Text, time.GetUtcNow()), key => probed.Read(key), probed.HasLostSigning);
    }
}

/// <summary>How much a store holds.</summary>
/// <param name="Destinations">All keys.</param>
/// <param name="Observed">Keys that are not enforced yet.</param>
/// <param name="Temporary">Keys whose entry will end by itself.</param>
/// <param name="ByLevel">Keys of each level that occurs.</param>
/// <param name="PinsByState">Pins in each state that occurs.</param>
public sealed record StoreCounts(
    long Destinations, long Observed, long Temporary, IReadOnlyDictionary<TlsLevel, long> ByLevel, IReadOnlyDictionary<PinState, long> PinsByState);
