using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>Opens the listeners once there is something to answer from, and drains them on stop.</summary>
internal sealed class LookupWorker(
    LookupServer server, IReadOnlyList<(Socket Socket, MapEndpoint Endpoint)> inherited, IHostApplicationLifetime lifetime, DaemonOutcome outcome,
    ILogger<LookupWorker> logger) : IHostedService
{
    /// <summary>Below systemd's and any impatient administrator's limit; a reply takes microseconds.</summary>
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
            outcome.Code = ExitCode.Failed;
            lifetime.StopApplication();
        }
    }
}

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
