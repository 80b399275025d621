using Microsoft.Extensions.Hosting;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Lookup;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>Does periodic work of the lookup side, whether or not anybody asks: makes removed unix sockets anew and gives memory back.</summary>
internal sealed class LookupUpkeep(LookupServer server, SnapshotLoader loader, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan GiveBackPause = TimeSpan.FromSeconds(20);

    // The prober and the others have read what they begin with by then.
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(500);

    private long? gaveBackAt;

    // A large store makes a collection long enough to be noticed by who asks meanwhile.
    private bool IsLarge => loader.Status is { Destinations: > RunningProber.LargeStore };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            await Task.Delay(Settling, time, stoppingToken);
            // A start leaves more behind than a small snapshot holds, and an idle daemon would keep it for ever.
            if (!IsLarge)
                ProcessMemory.GiveBack();
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
        if ((gaveBackAt is { } at && time.GetElapsedTime(at) < GiveBackPause) || IsLarge || !server.TakeRelief())
            return;
        gaveBackAt = time.GetTimestamp();
        ProcessMemory.GiveBack();
    }
}
