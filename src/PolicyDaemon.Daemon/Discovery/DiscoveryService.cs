using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store.Discovery;

namespace PolicyDaemon.Daemon.Discovery;

/// <summary>Runs discovery beside the lookups, with the settings in force.</summary>
/// <remarks>What the store remembers of protected destinations is in memory before the first lookup is answered. While the store cannot be
/// read the daemon answers all the same, and reads it as soon as it can.</remarks>
internal sealed class DiscoveryService(
    RunningConfiguration configuration, LookupService lookups, DiscoveredStore store, ILogger<DiscoveryService> logger, TimeProvider time)
    : BackgroundService
{
    private static readonly TimeSpan RetryAfterFault = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim changing = new(1);
    private volatile RunningDiscovery? running;
    private volatile bool isLoaded;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await ApplyAsync();
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Takes over the settings in force.</summary>
    /// <exception cref="ConfigurationException">A file that they name cannot be used.</exception>
    public async Task ApplyAsync()
    {
        await changing.WaitAsync();
        try
        {
            var settings = configuration.Settings;
            lookups.Aliases = settings.Discovery.MapAliases;
            var old = running;
            var next = settings.Discovery.Mode == DiscoveryMode.Off ? null : new RunningDiscovery(settings, store, logger, time);
            isLoaded = next is null || TryLoad(next);
            running = next;
            lookups.Discovery = next?.Served;
            if (old is not null)
                await old.DisposeAsync();
        }
        finally
        {
            changing.Release();
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // Lookups go on a little longer; what is known stays answered, and nothing waits any more.
        var last = running;
        running = null;
        if (last is not null)
            await last.DisposeAsync();
    }

    public override void Dispose()
    {
        changing.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(RetryAfterFault, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (!isLoaded && running is { } discovery)
                    isLoaded = TryLoad(discovery);
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    private bool TryLoad(RunningDiscovery discovery)
    {
        try
        {
            discovery.Load();
            return true;
        }
        catch (DiscoveryStoreException fault)
        {
            logger.DiscoveryStoreFailed(fault.Message);
            return false;
        }
    }
}
