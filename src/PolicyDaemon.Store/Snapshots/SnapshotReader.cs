using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Auditing;
using PolicyDaemon.Store.Destinations;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Reads the next snapshot from the store: only the changed keys where these are few, otherwise every destination.</summary>
internal sealed class SnapshotReader(string path, FindingSet findings, TimeProvider time, ILogger log)
{
    // Up to so many new audit rows are always read one by one; beyond, reading everything may be less.
    private const int SmallChange = 1_000;

    // Of more rows one thread reads the next while another makes the answers of those before.
    private const int AheadAbove = 10_000;

    private readonly EntryBuilder entries = new();
    private readonly ChangeNotes changes = new();
    private readonly SettledTime settled = new(time);
    private (StoreSession Session, DestinationTable Destinations)? reading;

    /// <summary>Starts from a snapshot that was read from a file.</summary>
    internal void Adopt(IEnumerable<SnapshotEntry> noted)
    {
        entries.Adopt(noted, time.GetUtcNow());
        entries.Report(findings);
        entries.Ends.Show();
    }

    /// <summary>The entries that have ended and of which the store does not say so yet. May be read from any thread.</summary>
    internal IReadOnlyCollection<EndedEntry> Ended => entries.Ends.Ended;

    /// <summary>A snapshot in which it stays so that entries have ended whose end has surely come; the change to it has the same state of the store before and after.</summary>
    /// <returns>Null where there are none such.</returns>
    internal LoadedSnapshot? End(PolicySnapshot last)
    {
        var now = time.GetUtcNow();
        var byClock = entries.Ends.DueByClock(now);
        foreach (var key in byClock)
        {
            if (last.Find(key) is { } entry)
                entries.Note(entry, now);
        }

        var ended = new List<SnapshotEntry>();
        foreach (var key in entries.Ends.DueForGood(settled.Read()))
        {
            if (last.Find(key) is { } entry)
                ended.Add(entries.Note(entry with { HasLapsed = true }, now));
        }

        if (byClock.Count > 0 || ended.Count > 0)
            entries.Report(findings);
        // What it means for mail is found out then, not when it is written.
        if (byClock.Count > 0)
            changes.Add(byClock);
        entries.Ends.Show();
        if (ended.Count == 0)
            return null;
        changes.Add(ended.Select(entry => entry.Key));
        StoreLog.Ended(log, ended.Count, last.Identity.Sequence);
        return new LoadedSnapshot(last.With(last.Identity, ended, []), new SnapshotChange(last.Identity, last.Identity, ended, []));
    }

    /// <summary>The changes of all loads since the last call; null where there were none. May be called from any thread.</summary>
    internal LoadedChanges? TakeChanges() => changes.Take();

    /// <summary>Reads the next snapshot within the caller's transaction.</summary>
    /// <param name="followed">What was followed of the log; null where no failover can lose any of it.</param>
    /// <returns>Where the store is not the one that <paramref name="last"/> shows, and nobody accepted it, no snapshot, and perhaps where the log forks.</returns>
    internal ReadSnapshot Load(StoreSession session, PolicySnapshot? last, PostfixSettings postfix, FollowedLog? followed, bool mayReadAll)
    {
        var read = Read(session, last, postfix, followed, mayReadAll);
        if (followed is null || read.Loaded is not { } loaded)
            return read;
        followed.Follow(loaded.Snapshot.Identity.StoreId, loaded.Rows);
        if (!followed.EndsWith(loaded.Snapshot.Identity) && loaded.Snapshot.Identity.Sequence <= AuditLog.Head(session.Connection).Sequence)
            followed.Begin(session.Connection, loaded.Snapshot.Identity);
        return read;
    }

    private ReadSnapshot Read(StoreSession session, PolicySnapshot? last, PostfixSettings postfix, FollowedLog? followed, bool mayReadAll)
    {
        if (reading?.Session != session)
            reading = (session, new DestinationTable(session.Connection));

        var destinations = reading!.Value.Destinations;
        var storeId = session.FindStoreId() ?? throw StoreException.Damaged(path, "it has no identity");
        var head = AuditLog.Head(session.Connection);
        var identity = new SnapshotIdentity(storeId, head.Sequence, head.Hash, postfix.FingerprintDigest, postfix.Version);
        if (last is null)
            return All();
        if (!AuditLog.Continues(session.Connection, last.Identity, storeId))
        {
            if (AuditLog.Accepts(session.Connection, last.Identity))
                return All();
            if (storeId != last.Identity.StoreId || followed?.Compare(session.Connection, last.Identity) is not { } fork)
                return new ReadSnapshot(null);
            // A standby that has not come so far yet.
            if (fork.Point.Sequence == head.Sequence && session.OnlyRead?.Kind == StoreFault.ReadOnly)
                return new ReadSnapshot(new LoadedSnapshot(last, null));
            if (!AuditLog.AcceptsAfter(session.Connection, storeId, fork.Point.Sequence))
                return new ReadSnapshot(null, fork);
            if (mayReadAll)
                StoreLog.ForkAccepted(log, fork.Point.Sequence, fork.Count);
            return All();
        }

        if (identity == last.Identity)
            return new ReadSnapshot(new LoadedSnapshot(last, null));

        var sameSettings = last.Identity.Digest == identity.Digest && last.Identity.Version == identity.Version;
        var rows = head.Sequence - last.Identity.Sequence;
        if (sameSettings && rows <= Math.Max(SmallChange, last.Count / 4) && LoadChanged(session, destinations, last, identity, postfix) is { } next)
            return new ReadSnapshot(next);
        return All() is { Loaded: { } all }
            ? new ReadSnapshot(all with { Committed = rows > 0 ? [.. AuditLog.Newest(session.Connection, 1).Select(row => row.Time)] : [] })
            : new ReadSnapshot(null) { IsToReadAll = true };

        ReadSnapshot All() => mayReadAll ? new ReadSnapshot(LoadAll(destinations, last, identity, postfix)) : new ReadSnapshot(null) { IsToReadAll = true };
    }

    private LoadedSnapshot LoadAll(DestinationTable destinations, PolicySnapshot? last, SnapshotIdentity identity, PostfixSettings postfix)
    {
        entries.Clear();
        var (now, past) = (time.GetUtcNow(), settled.Read());
        var pins = -destinations.PinsRead;
        var count = (int)destinations.Count();
        // At a start nobody is answered before all is read, so that two cores are free for it.
        var rows = last is null && count > AheadAbove ? Ahead.Of(destinations.All()) : destinations.All();
        var snapshot = PolicySnapshot.Build(identity, rows.Select(stored => entries.Build(stored, postfix, last, now, past)), count);
        pins += destinations.PinsRead;
        // An index that lacks some would make an answer with fewer of them.
        if (destinations.CountPins() != pins)
            throw StoreException.Damaged(path, "an index lacks pins");
        entries.Report(findings);
        changes.AddEverything();
        StoreLog.Loaded(log, snapshot.Count, identity.StoreId, identity.Sequence, identity.Hash);
        return new LoadedSnapshot(snapshot, null);
    }

    /// <returns>Null where a row is of a kind that this version does not know, so that only reading everything is safe.</returns>
    private LoadedSnapshot? LoadChanged(
        StoreSession session, DestinationTable destinations, PolicySnapshot last, SnapshotIdentity identity, PostfixSettings postfix)
    {
        var keys = new Dictionary<string, bool>(StringComparer.Ordinal);
        var committed = new Dictionary<long, DateTimeOffset>();
        var followed = new Queue<FollowedRow>();
        var head = new AuditHead(last.Identity.Sequence, last.Identity.Hash);
        foreach (var row in AuditLog.After(session.Connection, last.Identity.Sequence))
        {
            if (!AuditActions.TryParse(row.Action, out _))
                return null;
            if (AuditChain.Problem(identity.StoreId, head, row) is { } problem)
                findings.Raise(FindingKind.AuditBroken, path, $"{path}: {problem}; compare the log with the hashes in the journal, and find out who wrote there; policyctl store accept with a --reason ends this", "policyctl audit --verify");
            else if (row.Action == AuditAction.Accept.Name())
                findings.Close(FindingKind.AuditBroken, path);
            head = new AuditHead(row.Sequence, row.Hash);
            if (followed.Count == FollowedLog.Kept)
                followed.Dequeue();
            followed.Enqueue(FollowedRow.Of(row));
            committed[row.ChangeId] = row.Time;
            if (row.Key is not null)
                keys[row.Key] = row.After is not null;
        }

        var (now, past) = (time.GetUtcNow(), settled.Read());
        var changed = new List<SnapshotEntry>();
        var removed = new List<string>();
        foreach (var (key, isThere) in keys)
        {
            if (destinations.Find(key) is { } stored)
            {
                changed.Add(entries.Build(stored, postfix, last, now, past));
                continue;
            }

            // What the log has there and the table has not was not removed, whatever became of it: it must not be answered as not found.
            if (isThere)
                throw StoreException.Damaged(path, $"the audit log has an entry {key} that is not there");
            entries.Forget(key);
            removed.Add(key);
        }

        var snapshot = last.With(identity, changed, removed);
        entries.Report(findings);
        changes.Add(keys.Keys);
        StoreLog.Changed(log, changed.Count, removed.Count, identity.Sequence, identity.Hash);
        return new LoadedSnapshot(snapshot, new SnapshotChange(last.Identity, identity, changed, removed))
        {
            Committed = [.. committed.Values],
            Rows = followed,
        };
    }
}

/// <summary>The change from one snapshot to the next.</summary>
/// <param name="Previous">The snapshot it starts from.</param>
/// <param name="Identity">The snapshot it leads to.</param>
/// <param name="Changed">Entries added or replaced.</param>
/// <param name="Removed">Keys taken away.</param>
internal sealed record SnapshotChange(
    SnapshotIdentity Previous, SnapshotIdentity Identity, IReadOnlyList<SnapshotEntry> Changed, IReadOnlyList<string> Removed);

/// <summary>A snapshot that was read from the store.</summary>
/// <param name="Change">The change from the snapshot before; null where nothing changed, or everything was read again.</param>
internal sealed record LoadedSnapshot(PolicySnapshot Snapshot, SnapshotChange? Change)
{
    /// <summary>When the changes that it has beyond the snapshot before were committed, each once; of many that were read at once the last.</summary>
    public IReadOnlyList<DateTimeOffset> Committed { get; init; } = [];

    /// <summary>The last rows of the log that lead to it; none where everything was read.</summary>
    public IReadOnlyCollection<FollowedRow> Rows { get; init; } = [];
}

/// <summary>What became of an attempt to read the next snapshot.</summary>
/// <param name="Loaded">The snapshot; null where there is none.</param>
/// <param name="Fork">Where the log forks, if that is why.</param>
internal sealed record ReadSnapshot(LoadedSnapshot? Loaded, LogFork? Fork = null)
{
    /// <summary>Everything is to be read, which the caller did not allow.</summary>
    public bool IsToReadAll { get; init; }
}

/// <summary>The keys that the loader has read again since it was asked last.</summary>
/// <param name="Keys">The keys that changed or went; empty where everything was read again.</param>
/// <param name="Everything">True where any key may have changed.</param>
public sealed record LoadedChanges(IReadOnlyCollection<string> Keys, bool Everything);
