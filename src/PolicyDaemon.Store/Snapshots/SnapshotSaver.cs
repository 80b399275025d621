using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Saves the snapshot in force to snapshot file and journal, so that no answer that was given is lost with the store.</summary>
/// <remarks>
/// A small snapshot is written whole with every change. A large one is written now and then, on a thread of its own; meanwhile each
/// change goes to the <see cref="SnapshotJournal"/>. Either is on the disk before the change is served. A disk that does not take
/// it delays no answer: the change is served, a finding says that it would not survive, and the saver tries again.
/// </remarks>
internal sealed class SnapshotSaver(SnapshotLoaderOptions options, FindingSet findings, TimeProvider time, ILogger log) : IDisposable
{
    private const int AtOnce = 2_000; // entries; a few milliseconds
    private static readonly TimeSpan LargeInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private readonly SnapshotJournal journal = new(SnapshotJournal.PathOf(options.SnapshotFile));
    private SnapshotIdentity? saved;
    private long lastAttempt = long.MinValue;
    private bool failed;
    private long journalFailedAt = long.MinValue;
    private Task<string?>? running;
    private PolicySnapshot? beingSaved;

    // Ends of entries change a snapshot that shows the same state of the store; which of them the file has is counted.
    private int ends;
    private int endsBeingSaved;
    private int endsSaved;

    /// <summary>Starts from the snapshot that was read from the disk.</summary>
    internal void Resume(LastGoodSnapshot read)
    {
        saved = read.InFile;
        journal.Resume(read.Records, read.Snapshot.Identity);
    }

    /// <summary>Saves a snapshot that is about to be served.</summary>
    /// <param name="change">The change from the snapshot before; null where everything was read again.</param>
    internal void Keep(PolicySnapshot snapshot, SnapshotChange? change)
    {
        Collect(wait: false);
        if (snapshot.Count > AtOnce && saved is null && running is null)
        {
            // The first of a large store: whoever loses it all is answered with temporary errors, not with something weaker.
            journal.Restart(snapshot.Identity);
            return;
        }

        if (snapshot.Count > AtOnce && change is not null && journal.TryAdd(change))
        {
            SyncJournal();
            return;
        }

        if (change is not null && change.Previous == change.Identity)
            ends++;
        if (!failed || IsDue(snapshot))
            SaveNow(snapshot);
    }

    /// <summary>Saves what is due. A large snapshot is written on a thread of its own.</summary>
    internal void Offer(PolicySnapshot snapshot)
    {
        Collect(wait: false);
        if (!journal.IsSynced && (journalFailedAt == long.MinValue || time.GetElapsedTime(journalFailedAt) >= RetryAfter))
            SyncJournal();
        if (running is not null || IsSaved(snapshot) || !IsDue(snapshot))
            return;
        lastAttempt = time.GetTimestamp();
        (beingSaved, endsBeingSaved) = (snapshot, ends);
        if (snapshot.Count <= AtOnce)
        {
            Finish(Save(snapshot));
            return;
        }

        running = LongWork.Start(() => Save(snapshot));
    }

    /// <summary>Saves now, due or not: at the end, or before a person is asked to compare with it.</summary>
    internal void SaveNow(PolicySnapshot snapshot)
    {
        Collect(wait: true);
        if (IsSaved(snapshot))
            return;
        lastAttempt = time.GetTimestamp();
        (beingSaved, endsBeingSaved) = (snapshot, ends);
        Finish(Save(snapshot));
    }

    public void Dispose()
    {
        Collect(wait: true);
        journal.Dispose();
    }

    private bool IsSaved(PolicySnapshot snapshot) => snapshot.Identity == saved && endsSaved == ends;

    private bool IsDue(PolicySnapshot snapshot)
    {
        if (lastAttempt == long.MinValue)
            return true;
        var since = time.GetElapsedTime(lastAttempt);
        if (failed)
            return since >= RetryAfter;
        return snapshot.Count <= AtOnce || since >= LargeInterval || journal.Head != snapshot.Identity || journal.Octets > SnapshotJournal.EnoughOctets;
    }

    private string? Save(PolicySnapshot snapshot)
    {
        try
        {
            SnapshotFile.Write(options.SnapshotFile, snapshot);
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return error.Message;
        }
    }

    private void Collect(bool wait)
    {
        if (running is null || (!wait && !running.IsCompleted))
            return;
        var problem = running.GetAwaiter().GetResult();
        running = null;
        Finish(problem);
    }

    private void Finish(string? problem)
    {
        failed = problem is not null;
        if (problem is not null)
        {
            Report(options.SnapshotFile, problem);
            return;
        }

        (saved, endsSaved) = (beingSaved!.Identity, endsBeingSaved);
        StoreLog.SnapshotSaved(log, saved.Sequence);
        journal.Cover(saved);
        SyncJournal();
    }

    private void SyncJournal()
    {
        try
        {
            journal.Sync();
            journalFailedAt = long.MinValue;
            if (!failed)
                findings.Close(FindingKind.SnapshotNotSaved, options.SnapshotFile);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            journalFailedAt = time.GetTimestamp();
            // The finding of a snapshot that cannot be written has the same cause.
            if (!failed)
                Report(SnapshotJournal.PathOf(options.SnapshotFile), error.Message);
        }
    }

    private void Report(string file, string problem) => findings.Raise(
        FindingKind.SnapshotNotSaved, options.SnapshotFile, $"{file}: {problem}; make room on the device, or let the daemon's user write there: it tries again by itself",
        $"ls -ld {Directory} && df -h {Directory}");

    private string Directory => Shell.Quote(Path.GetDirectoryName(Path.GetFullPath(options.SnapshotFile)) ?? "/");
}
