using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>Opens the listeners after the snapshot was loaded, and drains their connections on stop.</summary>
internal sealed class LookupWorker(
    LookupServer server, IReadOnlyList<(Socket Socket, MapEndpoint Endpoint)> inherited, IHostApplicationLifetime lifetime, DaemonOutcome outcome,
    ILogger<LookupWorker> logger) : IHostedService
{
    /// <summary>How long connections may take to end on stop: less than systemd's limit, while a reply takes microseconds.</summary>
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(3);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await server.StartAsync(inherited);
        _ = WatchAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(DrainTime);
        await server.StopAsync(deadline.Token);
    }

    private async Task WatchAsync()
    {
        try
        {
            await server.Completion;
        }
        catch (IOException exception)
        {
            logger.CannotGoOn(exception.Message);
            outcome.Code = DaemonExitCode.Failed;
            lifetime.StopApplication();
        }
    }
}

/// <summary>Loads the snapshot before the listeners are opened, and follows the store from then on.</summary>
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
