using Microsoft.Extensions.Hosting;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>Loads what is to be answered before anybody can ask, and keeps it current.</summary>
internal sealed class SnapshotWorker(SnapshotLoader loader) : BackgroundService
{
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        loader.Start();
        // Reading a store leaves more behind than a small snapshot holds, and an idle daemon would keep it for ever.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        return base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => loader.RunAsync(stoppingToken);
}
