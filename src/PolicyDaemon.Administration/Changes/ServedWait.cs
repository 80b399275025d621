using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Changes;

/// <summary>The result of waiting until the daemon answers from a change.</summary>
public enum ServedOutcome
{
    /// <summary>The daemon answers from the change, or from a later one.</summary>
    Served,

    /// <summary>The daemon does not run.</summary>
    NotRunning,

    /// <summary>The daemon of this machine has nothing to do with the store.</summary>
    Elsewhere,

    /// <summary>The daemon runs, or may run, and had not taken the change over when the time was up.</summary>
    NotInTime,
}

/// <summary>Waits until the running daemon answers from a change.</summary>
/// <remarks>By its status file, which it writes within a second of a new snapshot. The lock tells whether its author still runs.</remarks>
public static class ServedWait
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <param name="sequence">The audit row that the daemon shall have taken over.</param>
    /// <param name="storeId">The store of that row.</param>
    /// <param name="patience">How long to wait.</param>
    public static async Task<ServedOutcome> RunAsync(
        Settings settings, TimeProvider time, string storeId, long sequence, TimeSpan patience, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(time);
        if (LocalDaemon.Elsewhere(settings, storeId) is not null)
            return ServedOutcome.Elsewhere;
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
