using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Daemon;

/// <summary>The lock that keeps two daemons from one status file, taken at the start where that can be.</summary>
/// <param name="Lock">The lock; null where another daemon holds it, or where the file cannot be made.</param>
/// <param name="HeldByAnother">True where another daemon holds the lock; only then may a start be refused.</param>
internal sealed record StartLock(DaemonLock? Lock, bool HeldByAnother)
{
    /// <summary>How long a start waits for a predecessor that has closed its listeners and is about to end.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    internal static async Task<StartLock> TakeAsync(string statusFile, TimeProvider time, ILogger logger)
    {
        try
        {
            var taken = DaemonLock.TryTake(statusFile);
            if (taken is null)
            {
                await Task.Delay(Patience, time);
                taken = DaemonLock.TryTake(statusFile);
            }

            if (taken is null)
                logger.CannotGoOn($"another policyd holds {DaemonLock.Path(statusFile)}; stop it, or give this one its own store.status_file");
            return new StartLock(taken, HeldByAnother: taken is null);
        }
        catch (IOException exception)
        {
            // A read-only or full file system costs information, not mail.
            logger.GoesOnWithoutLock(exception.Message);
            return new StartLock(DaemonLock.TryTakeWithoutFile(statusFile), HeldByAnother: false);
        }
    }
}
