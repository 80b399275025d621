using Microsoft.Extensions.Hosting;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Lookup;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>Does periodic work of the lookup side, whether or not anybody asks: makes removed unix sockets anew and gives memory back.</summary>
internal sealed class LookupUpkeep(LookupServer server, SnapshotLoader loader, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GiveBackPause = TimeSpan.FromSeconds(20);

    private long? gaveBackAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                // A directory that was emptied or made anew takes the unix socket with it.
                await server.RestoreAsync();
                GiveMemoryBack();
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    /// <summary>Collects garbage after many connections have left, because an idle daemon would keep that memory for ever.</summary>
    private void GiveMemoryBack()
    {
        // A large store makes a collection long enough to be noticed by who asks meanwhile.
        if ((gaveBackAt is { } at && time.GetElapsedTime(at) < GiveBackPause) || loader.Status is { Destinations: > RunningProber.LargeStore }
            || !server.TakeRelief())
            return;
        gaveBackAt = time.GetTimestamp();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
    }
}
