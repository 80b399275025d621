using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon.Discovery;

/// <summary>Runs discovery beside the lookups, with the settings in force.</summary>
/// <remarks>What the store remembers of protected destinations is in memory before the first lookup is answered. While the store cannot be
/// read the daemon answers all the same, and reads it as soon as it can. Other settings are in force once everything that is known is known
/// to them, too: what a verdict rests on is in the store alone, and a domain whose policy was forgotten would be one never seen.</remarks>
internal sealed class DiscoveryService(
    RunningConfiguration configuration, LookupService lookups, DiscoveredStore store, ICurrentSnapshot current, ILogger<DiscoveryService> logger, TimeProvider time,
    SnapshotLoader? loader = null)
    : BackgroundService
{
    private static readonly TimeSpan RetryAfterFault = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim changing = new(1);
    private volatile RunningDiscovery? running;
    private RunningDiscovery? next;
    private bool isLoaded;

    // The entries of which it was last noted that nothing is known of them, as discovery is off.
    private PolicySnapshot? notedOff;
    private bool isStopped;
    private string? said;

    /// <summary>The status of discovery now; null where discovery is off. May be read from any thread.</summary>
    public DiscoveryStatus? Status
    {
        get
        {
            if (running is not { } discovery)
                return null;
            var (did, counts) = (lookups.Discovered, discovery.Discoverer.Counts);
            return new DiscoveryStatus(
                discovery.Served.Answers ? "on" : "observe",
                discovery.Records.CountByAnswer().ToDictionary(pair => pair.Key.Name(), pair => (long)pair.Value),
                discovery.Discoverer.Running,
                did.Parked,
                new Dictionary<string, long>
                {
                    ["entry"] = did.Entries, ["parent"] = did.Parents, ["dane"] = did.Dane, ["sts"] = did.Sts, ["nothing"] = did.Nothing, ["default"] = did.Defaults,
                    ["none"] = did.None,
                },
                did.FirstSights, did.TimedOut, did.NotWaited, did.Stale, discovery.Discoverer.Trouble)
            {
                Durations = counts.Durations,
                DnsFailures = discovery.Discoverer.DnsFailures,
                Fetches = counts.Fetches,
                ChangesUp = counts.ChangesUp,
                ChangesDown = counts.ChangesDown,
                NearLapse = discovery.NearLapse,
            };
        }
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // A server that did not answer the loader is not waited for again before anything is answered.
        await ApplyAsync(mayAsk: !configuration.Settings.IsOnServer || loader is null || loader.Status?.IsOfStore() == true);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Takes over the settings in force.</summary>
    /// <exception cref="ConfigurationException">A file that they name cannot be used.</exception>
    public Task ApplyAsync() => ApplyAsync(mayAsk: true);

    /// <param name="mayAsk">False where the store is left for the next turn.</param>
    private async Task ApplyAsync(bool mayAsk)
    {
        await changing.WaitAsync();
        try
        {
            if (isStopped)
                return;
            var settings = configuration.Settings;
            var made = settings.Discovery.Mode == DiscoveryMode.Off ? null : new RunningDiscovery(settings, store, current, logger, time);
            lookups.Aliases = settings.Discovery.MapAliases;
            await DropAsync(next);
            next = null;
            isLoaded = mayAsk && made is not null && await TryHandOverAsync(made);
            if (!isLoaded && made is { Served.Answers: true } && running is { Served.Answers: true })
            {
                next = made;
                logger.DiscoverySettingsWait();
                return;
            }

            await SwapAsync(made);
            if (mayAsk && made is null)
                isLoaded = await TryCloseFindingsAsync();
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Does what the store did not allow before.</summary>
    internal async Task RetryAsync()
    {
        await changing.WaitAsync();
        try
        {
            var isOff = next is null && running is null;
            if (isStopped || (isLoaded && (!isOff || ReferenceEquals(current.Current, notedOff))))
                return;
            isLoaded = (next ?? running) is { } waiting ? await TryHandOverAsync(waiting) : await TryCloseFindingsAsync();
            if (!isLoaded || next is null)
                return;
            var made = next;
            next = null;
            await SwapAsync(made);
        }
        finally
        {
            changing.Release();
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await changing.WaitAsync(CancellationToken.None);
        try
        {
            // Lookups go on a little longer; what is known stays answered, and nothing waits any more.
            isStopped = true;
            var last = running;
            running = null;
            await DropAsync(last);
            await DropAsync(next);
            next = null;
        }
        finally
        {
            changing.Release();
        }
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
                await RetryAsync();
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
            var snapshot = current.Current;
            await DiscoveryFindings.NoteOffAsync(store, time.GetUtcNow());
            notedOff = snapshot;
            return true;
        }
        catch (DiscoveryStoreException)
        {
            // Said by the store's own findings.
            return false;
        }
    }

    /// <summary>Has everything that is known, in the store and not yet, known to one that is to serve from now on, or serves already.</summary>
    private async Task<bool> TryHandOverAsync(RunningDiscovery to)
    {
        if (running is { } from && from != to && !await from.HandOverAsync(to))
            return false; // said by whoever could not write
        try
        {
            to.Load();
            said = null;
            return true;
        }
        catch (DiscoveryStoreException fault)
        {
            if (said != fault.Message)
                logger.DiscoveryStoreFailed(fault.Message);
            said = fault.Message;
            return false;
        }
    }

    private async Task SwapAsync(RunningDiscovery? made)
    {
        var old = running;
        running = made;
        lookups.Discovery = made?.Served;
        try
        {
            await DropAsync(old);
        }
        finally
        {
            made?.Start();
        }
    }

    private static ValueTask DropAsync(RunningDiscovery? discovery) => discovery?.DisposeAsync() ?? ValueTask.CompletedTask;
}
