using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Daemon.Probing;
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
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await loader.StartAsync(cancellationToken);
        // Of a large store more is left behind than LookupUpkeep could collect later without being noticed by who asks.
        if (loader.Status is { Destinations: > RunningProber.LargeStore })
            ProcessMemory.GiveBack();
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => loader.RunAsync(stoppingToken);
}
