using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>Writes to the store what entries have come to at the ends that people gave them.</summary>
/// <remarks>Lookups do not wait for it: the snapshot holds each end, and what holds then. Of several daemons over one store one writes it, and the
/// others find nothing left to do.</remarks>
internal sealed class EntryEndings(SnapshotLoader loader, RunningConfiguration configuration, ILogger<EntryEndings> logger, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryAfterFault = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromHours(1);

    private long? looked;
    private long? failed;
    private string? said;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                // A store that another program holds keeps whoever writes waiting for seconds; the pool's one thread has other work.
                if (HasWork)
                    await Task.Factory.StartNew(Work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    // What ended in a snapshot of another store is nothing to write into the one that stands there now.
    internal bool HasWork => loader.Status?.IsOfStore() == true && (loader.Ended.Count > 0 || IsLookDue) && (failed is not { } at || time.GetElapsedTime(at) >= RetryAfterFault);

    private bool IsLookDue => looked is not { } at || time.GetElapsedTime(at) >= BetweenLooks;

    internal void Work()
    {
        var settings = configuration.Settings;
        try
        {
            using var store = PolicyStore.Open(settings.Database, StoreAccess.Write, time);
            if (IsLookDue)
            {
                EndedEntries.CloseFindings(store, time.GetUtcNow());
                looked = time.GetTimestamp();
            }

            var origin = new ChangeOrigin(Actor.Daemon, EntryEnd.Command, "the time that was given with --until is over") { IsAutomation = true };
            if (loader.Ended is not { Count: > 0 } ended)
                return;
            var written = EndedEntries.Write(store, ended, origin, settings.Postfix);
            if (written is not null)
                logger.EntriesEnded(written.ChangeId, written.Rows, written.Head.Hash);
            // Where nothing was left to write, the loader has yet to read it, or cannot.
            (failed, said) = (written is null ? time.GetTimestamp() : null, null);
        }
        catch (Exception fault) when (fault is StoreException or ChangeRefusedException)
        {
            failed = time.GetTimestamp();
            if (loader.Ended.Count > 0 && said != fault.Message)
                logger.EntriesNotEnded(fault.Message);
            said = fault.Message;
        }
    }
}
