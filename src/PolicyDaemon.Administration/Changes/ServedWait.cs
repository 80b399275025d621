using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Changes;

/// <summary>What came of waiting for the daemon.</summary>
public enum ServedOutcome
{
    /// <summary>It answers from what the store held when the waiting began, or from something later.</summary>
    Served,

    /// <summary>It does not run.</summary>
    NotRunning,

    /// <summary>It runs, or may run, and had not taken it over when the time was up.</summary>
    NotInTime,
}

/// <summary>Waits until the running daemon answers from a change.</summary>
/// <remarks>By its status file, which it writes within a second of a new snapshot. The lock tells whether its author still runs.</remarks>
public static class ServedWait
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <param name="sequence">The audit row that the daemon shall have taken over.</param>
    /// <param name="storeId">The store that it stands in.</param>
    /// <param name="patience">How long to wait.</param>
    public static async Task<ServedOutcome> RunAsync(
        Settings settings, TimeProvider time, string storeId, long sequence, TimeSpan patience, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(time);
        var began = time.GetTimestamp();
        while (true)
        {
            if (DaemonLock.IsHeld(settings.StatusFile) == false)
                return ServedOutcome.NotRunning;
            if (DaemonStatusFile.TryRead(settings.StatusFile)?.Snapshot is { } snapshot && snapshot.StoreId == storeId && snapshot.Sequence >= sequence)
                return ServedOutcome.Served;
            if (time.GetElapsedTime(began) >= patience)
                return ServedOutcome.NotInTime;
            await Task.Delay(Poll, time, cancellation);
        }
    }
}
