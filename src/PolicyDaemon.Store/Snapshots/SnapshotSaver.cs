using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>Keeps the snapshot file in step with the snapshot in force: small ones at once, large ones now and then.</summary>
internal sealed class SnapshotSaver(SnapshotLoaderOptions options, FindingSet findings, TimeProvider time, ILogger log)
{
    private const int AtOnce = 2_000; // entries; a few milliseconds
    private static readonly TimeSpan LargeInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private SnapshotIdentity? saved;
    private long lastAttempt = long.MinValue;
    private bool failed;
    private Task<string?>? running;
    private PolicySnapshot? beingSaved;

    /// <summary>The file holds this already.</summary>
    internal void IsOnDisk(SnapshotIdentity identity) => saved = identity;

    /// <summary>Saves what is due. Never blocks for a large snapshot.</summary>
    internal void Offer(PolicySnapshot snapshot)
    {
        Collect(wait: false);
        if (running is not null || snapshot.Identity == saved || !IsDue(snapshot))
            return;
        lastAttempt = time.GetTimestamp();
        beingSaved = snapshot;
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
        if (snapshot.Identity == saved)
            return;
        lastAttempt = time.GetTimestamp();
        beingSaved = snapshot;
        Finish(Save(snapshot));
    }

    private bool IsDue(PolicySnapshot snapshot)
    {
        if (lastAttempt == long.MinValue)
            return true;
        var since = time.GetElapsedTime(lastAttempt);
        return failed ? since >= RetryAfter : snapshot.Count <= AtOnce || since >= LargeInterval;
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
            findings.Raise(
                FindingKind.SnapshotNotSaved, options.SnapshotFile, $"{options.SnapshotFile}: {problem}",
                "Make room on the device, or let the daemon's user write there; it tries again by itself.");
            return;
        }

        saved = beingSaved!.Identity;
        findings.Close(FindingKind.SnapshotNotSaved, options.SnapshotFile);
        StoreLog.SnapshotSaved(log, saved.Sequence);
    }
}
