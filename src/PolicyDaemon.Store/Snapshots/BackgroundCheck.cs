using SQLitePCL;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>An integrity check beside everything else; a million entries take some seconds.</summary>
internal sealed class BackgroundCheck
{
    private readonly Lock gate = new();
    private PolicyStore? checking;
    private bool stopped;

    private BackgroundCheck(SnapshotLoaderOptions options, TimeProvider time) =>
        Task = LongWork.Start(() => Check(options, time));

    /// <summary>Ends with the damage, or with null where there is none or the store could not be asked.</summary>
    internal Task<StoreException?> Task { get; }

    internal static BackgroundCheck Start(SnapshotLoaderOptions options, TimeProvider time) => new(options, time);

    /// <summary>Interrupts the check and waits for its end, so that no connection outlives its owner.</summary>
    internal void Stop()
    {
        lock (gate)
        {
            stopped = true;
            if (checking is not null)
                raw.sqlite3_interrupt(checking.Connection.Handle);
        }

        Task.GetAwaiter().GetResult();
    }

    private StoreException? Check(SnapshotLoaderOptions options, TimeProvider time)
    {
        PolicyStore? store = null;
        try
        {
            store = PolicyStore.Open(options.Database, StoreAccess.Read, time, options.Patience);
            lock (gate)
            {
                if (stopped)
                    return null;
                checking = store;
            }

            store.CheckIntegrity();
            return null;
        }
        catch (StoreException error)
        {
            // Whatever else is wrong the next look meets too, and says so.
            return error.Kind == StoreFault.Damaged ? error : null;
        }
        finally
        {
            lock (gate)
                checking = null;
            store?.Dispose();
        }
    }
}
