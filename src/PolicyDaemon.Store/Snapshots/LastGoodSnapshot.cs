using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>The last good snapshot on the disk, for the time when the store cannot be read: the snapshot file, and the journal of what changed since.</summary>
public sealed class LastGoodSnapshot
{
    private LastGoodSnapshot(
        PolicySnapshot snapshot, SnapshotIdentity inFile, IReadOnlyList<JournalRecord> records, IReadOnlyCollection<SnapshotEntry> noted,
        string? journalProblem) =>
        (Snapshot, InFile, Records, Noted, JournalProblem) = (snapshot, inFile, records, noted, journalProblem);

    /// <summary>The snapshot with every change of the journal.</summary>
    public PolicySnapshot Snapshot { get; }

    /// <summary>The identity of the snapshot file, without the journal.</summary>
    internal SnapshotIdentity InFile { get; }

    /// <summary>The records of the journal that continue from the snapshot file.</summary>
    internal IReadOnlyList<JournalRecord> Records { get; }

    /// <summary>The entries that are <see cref="SnapshotEntry.IsNoted"/>, collected while reading.</summary>
    internal IReadOnlyCollection<SnapshotEntry> Noted { get; }

    /// <summary>Why the end of the journal could not be used; null where all of it was.</summary>
    internal string? JournalProblem { get; }

    /// <param name="path">The snapshot file.</param>
    /// <param name="last">The last good snapshot.</param>
    /// <param name="reason">Why it cannot be used; null where there is no file.</param>
    public static bool TryRead(string path, [NotNullWhen(true)] out LastGoodSnapshot? last, out string? reason)
    {
        var noted = new List<SnapshotEntry>();
        if (!SnapshotFile.TryRead(path, noted, out var snapshot, out reason))
        {
            last = null;
            return false;
        }

        var records = SnapshotJournal.Read(SnapshotJournal.PathOf(path), snapshot.Identity, out var problem);
        var kept = noted.ToDictionary(entry => entry.Key, StringComparer.Ordinal);
        var now = records.Count == 0 ? snapshot : Replay(snapshot, records, kept);
        last = new LastGoodSnapshot(now, snapshot.Identity, records, kept.Values, problem);
        return true;
    }

    /// <summary>Combines the records into one change, because applying a change costs as much as the overlay already holds.</summary>
    private static PolicySnapshot Replay(PolicySnapshot snapshot, IReadOnlyList<JournalRecord> records, Dictionary<string, SnapshotEntry> kept)
    {
        var changed = new Dictionary<string, SnapshotEntry>(StringComparer.Ordinal);
        var removed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var change in records.Select(record => record.Change))
        {
            foreach (var key in change.Removed)
            {
                removed.Add(key);
                changed.Remove(key);
                kept.Remove(key);
            }

            foreach (var entry in change.Changed)
            {
                changed[entry.Key] = entry;
                kept.Remove(entry.Key);
                if (entry.IsNoted)
                    kept.Add(entry.Key, entry);
            }
        }

        return snapshot.With(records[^1].Change.Identity, changed.Values, removed);
    }
}
