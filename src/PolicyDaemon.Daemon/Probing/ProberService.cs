using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Fleet;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon.Probing;

/// <summary>Runs the prober beside the lookups, with the settings in force.</summary>
/// <remarks>Nothing here can end the daemon or hold a lookup up: what fails is said, and tried again.</remarks>
internal sealed class ProberService(
    RunningConfiguration configuration, SnapshotLoader loader, LookupDemand demand, IProbeLedger ledger,
    ILogger<ProberService> logger, TimeProvider time, ProberLease? lease = null, AddressClaims? claims = null, ProbeRequests? requests = null, FleetMember? member = null) : BackgroundService
{
    private static readonly TimeSpan RetryAfterFault = TimeSpan.FromMinutes(1);

    // A server that is back is not waited for, and neither is the turn of this node.
    private static readonly TimeSpan RetryOnServer = TimeSpan.FromSeconds(5);

    /// <summary>How long writes to the ledger may take on stop; probes that are under way are cancelled.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(3);

    private readonly Lock gate = new();
    private readonly ProbeCounters counters = new();
    private CancellationTokenSource? changed;
    private volatile RunningProber? running;
    private volatile string? problem;
    private volatile bool isWaiting;

    /// <summary>The state of the prober for the status file. May be read from any thread.</summary>
    public ProberStatus Status => (running is { } prober
        ? prober.Status(problem)
        : new ProberStatus(
            !configuration.Settings.Probe.Enabled ? "off" : !isWaiting ? "failing" : member?.Refusal is null ? "waiting" : "refused",
            !configuration.Settings.Probe.Enabled ? null : isWaiting ? member?.Refusal : problem ?? "it has not started yet", 0, 0, 0, null, null, null, 0)) with
    {
        Outcomes = counters.Outcomes,
        Durations = counters.Durations,
        Transitions = counters.Transitions,
    };

    private TimeSpan Retry => lease is null ? RetryAfterFault : RetryOnServer;

    /// <summary>Applies the settings in force, and reads the files that they name again.</summary>
    public void Apply()
    {
        lock (gate)
            changed?.Cancel();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (true)
            {
                using var until = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                lock (gate)
                    changed = until;
                await RunOnceAsync(until.Token, stoppingToken);
                lock (gate)
                    changed = null;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    /// <summary>Probes with one set of settings, until they change.</summary>
    private async Task RunOnceAsync(CancellationToken until, CancellationToken stopping)
    {
        try
        {
            if (!configuration.Settings.Probe.Enabled)
            {
                problem = null;
                await Task.Delay(Timeout.InfiniteTimeSpan, time, until);
            }

            await ProbeInTurnAsync(until);
        }
        catch (OperationCanceledException) when (until.IsCancellationRequested)
        {
            stopping.ThrowIfCancellationRequested();
        }
        catch (Exception fault) when (fault is ConfigurationException or StoreException or LedgerUnavailableException)
        {
            logger.ProberFailed(fault.Message, Retry);
            await WaitAsync(fault.Message, until, stopping);
        }
#pragma warning disable CA1031 // whatever the prober met, lookups go on and so does it
        catch (Exception fault)
#pragma warning restore CA1031
        {
            logger.ProberBroke(fault, Retry);
            await WaitAsync($"{fault.GetType().Name}: {fault.Message}", until, stopping);
        }
    }

    /// <summary>Probes while this daemon holds the lease, where several share the store.</summary>
    private async Task ProbeInTurnAsync(CancellationToken until)
    {
        if (lease is null)
        {
            await ProbeAsync(until);
            return;
        }

        isWaiting = !lease.IsHeld;
        try
        {
            var over = await lease.WaitAsync(until);
            isWaiting = false;
            using var both = CancellationTokenSource.CreateLinkedTokenSource(until, over);
            await ProbeAsync(both.Token);
        }
        catch (OperationCanceledException) when (!until.IsCancellationRequested)
        {
            // Another node probes by now, or the server is out of reach: this one waits for its turn again.
        }
        finally
        {
            isWaiting = false;
        }
    }

    private async Task ProbeAsync(CancellationToken until)
    {
        var settings = configuration.Settings;
        try
        {
            using var parts = new ProberComposition(settings.Probe, settings.Postfix, time) { Claims = claims };
            using var engine = parts.CreateEngine(ledger, logger, counters);
            var prober = new RunningProber(settings.Probe, parts, engine, loader, demand, time, requests);
            running = prober;
            problem = null;
            await prober.RunAsync(StopTime, until);
        }
        finally
        {
            running = null;
        }
    }

    private async Task WaitAsync(string what, CancellationToken until, CancellationToken stopping)
    {
        problem = what;
        try
        {
            await Task.Delay(Retry, time, until);
        }
        catch (OperationCanceledException)
        {
            stopping.ThrowIfCancellationRequested();
        }
    }
}
