using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>An integrity check of the database on a thread of its own; a million entries take some seconds.</summary>
internal sealed class BackgroundCheck
{
    private readonly Lock gate = new();
    private StoreSession? checking;
    private bool stopped;

    private BackgroundCheck(StoreEngine engine, TimeSpan patience) => Task = LongWork.Start(() => Check(engine, patience));

    /// <summary>Ends with the damage, or with null where there is none or the store could not be asked.</summary>
    internal Task<StoreException?> Task { get; }

    internal static BackgroundCheck Start(StoreEngine engine, TimeSpan patience) => new(engine, patience);

    /// <summary>Interrupts the check and waits for its end, so that no connection outlives its owner.</summary>
    internal void Stop()
    {
        lock (gate)
        {
            stopped = true;
            checking?.Interrupt();
        }

        Task.GetAwaiter().GetResult();
    }

    private StoreException? Check(StoreEngine engine, TimeSpan patience)
    {
        StoreSession? session = null;
        try
        {
            session = engine.Open(StoreAccess.Read, patience);
            lock (gate)
            {
                if (stopped)
                    return null;
                checking = session;
            }

            session.Guard(session.CheckIntegrity);
            return null;
        }
        catch (StoreException error)
        {
            // Whatever else is wrong the loader meets too, and says so.
            return error.Kind == StoreFault.Damaged ? error : null;
        }
        finally
        {
            lock (gate)
                checking = null;
            session?.Dispose();
        }
    }
}

/// <summary>Decides when the database's integrity is checked: before a load where nothing is served yet, then in the background once an hour,
/// and sooner after something wrote to the file that is no commit.</summary>
internal sealed class IntegrityChecks(StoreEngine engine, TimeSpan patience, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private static readonly TimeSpan SuspiciousInterval = TimeSpan.FromMinutes(1);

    private BackgroundCheck? check;
    private long checkedAt = long.MinValue;

    /// <summary>Checks before the store is loaded.</summary>
    /// <param name="isServing">True where there are answers meanwhile: the database is checked whole. Where mail waits for it the pages are, and the
    /// indexes in the background as soon as it is loaded: what a snapshot is read from does not rest on them (<see cref="SnapshotReader"/>).</param>
    /// <exception cref="StoreException">The database is damaged, or cannot be read.</exception>
    internal void CheckNow(StoreSession session, bool isServing)
    {
        if (!isServing)
        {
            session.Guard(session.CheckPages);
            return;
        }

        checkedAt = time.GetTimestamp();
        session.Guard(session.CheckIntegrity);
    }

    /// <summary>Starts a check in the background, where the last one is long enough ago and none runs.</summary>
    internal void StartWhereDue(bool isSuspicious)
    {
        if (check is not null || (checkedAt != long.MinValue && time.GetElapsedTime(checkedAt) < (isSuspicious ? SuspiciousInterval : Interval)))
            return;
        checkedAt = time.GetTimestamp();
        check = BackgroundCheck.Start(engine, patience);
    }

    /// <summary>The damage that a finished check found, once; null where it found none, or none has finished.</summary>
    internal StoreException? TakeDamage()
    {
        if (check is not { Task.IsCompleted: true } finished)
            return null;
        check = null;
        return finished.Task.GetAwaiter().GetResult();
    }

    internal void Stop() => check?.Stop();
}

/// <summary>Runs work of seconds on a thread of its own: the pool of policyd has one thread for all short work, which must not wait.</summary>
internal static class LongWork
{
    /// <returns>A task that ends with the result of the work, or with its exception.</returns>
    internal static Task<T> Start<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
}
