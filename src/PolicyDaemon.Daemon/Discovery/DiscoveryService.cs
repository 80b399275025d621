using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store.Discovery;

namespace PolicyDaemon.Daemon.Discovery;

/// <summary>Runs discovery beside the lookups, with the settings in force.</summary>
/// <remarks>What the store remembers of protected destinations is in memory before the first lookup is answered. While the store cannot be
/// read the daemon answers all the same, and reads it as soon as it can.</remarks>
internal sealed class DiscoveryService(
    RunningConfiguration configuration, LookupService lookups, DiscoveredStore store, ICurrentSnapshot current, ILogger<DiscoveryService> logger, TimeProvider time)
    : BackgroundService
{
    private static readonly TimeSpan RetryAfterFault = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim changing = new(1);
    private volatile RunningDiscovery? running;
    private volatile bool isLoaded;

    /// <summary>What it does now; null where it is off. From any thread.</summary>
    public DiscoveryStatus? Status
    {
        get
        {
            if (running is not { } discovery)
                return null;
            var did = lookups.Discovered;
            return new DiscoveryStatus(
                discovery.Served.Answers ? "on" : "observe",
                discovery.Records.CountByAnswer().ToDictionary(pair => pair.Key.Name(), pair => (long)pair.Value),
                discovery.Running,
                did.Parked,
                new Dictionary<string, long>
                {
                    ["entry"] = did.Entries, ["parent"] = did.Parents, ["dane"] = did.Dane, ["sts"] = did.Sts, ["nothing"] = did.Nothing, ["none"] = did.None,
                },
                did.FirstSights, did.TimedOut, did.NotWaited, did.Stale, discovery.Trouble);
        }
    }

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
            var next = settings.Discovery.Mode == DiscoveryMode.Off ? null : new RunningDiscovery(settings, store, current, logger, time);
            isLoaded = next is null ? await TryCloseFindingsAsync() : TryLoad(next);
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
                if (!isLoaded)
                    isLoaded = running is { } discovery ? TryLoad(discovery) : await TryCloseFindingsAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    private async Task<bool> TryCloseFindingsAsync()
    {
        try
        {
            await DiscoveryFindings.CloseAllAsync(store);
            return true;
        }
        catch (DiscoveryStoreException)
        {
            // Said by the store's own findings.
            return false;
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
