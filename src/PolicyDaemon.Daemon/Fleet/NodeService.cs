using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon.Fleet;

/// <summary>Keeps this daemon among those that share a store on a server: a heartbeat, the lease, and what lookups here want probed elsewhere.</summary>
/// <remarks>On a thread of its own, since a server may let it wait. Stopped behind the prober and the alerts, it lets go of the lease.</remarks>
internal sealed class NodeService(
    RunningConfiguration configuration, FleetMember member, ProberLease lease, SnapshotLoader loader, LookupDemand demand, ProbeRequests requests, ProbeLedger ledger, UnattendedFleet unattended,
    ILogger<NodeService> logger, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Forget = TimeSpan.FromMinutes(1);

    // Keys that were passed on of late, each once.
    private readonly HashSet<string> passedOn = new(StringComparer.Ordinal);
    private long forgotAt = time.GetTimestamp();
    private IReadOnlyList<Finding>? told;
    private string? refusal;
    private bool held;
    private bool failed;

    /// <summary>True while this daemon probes and alerts.</summary>
    internal bool HoldsLease => lease.IsHeld;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Factory.StartNew(
        () => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    private void Run(CancellationToken stop)
    {
        do
        {
            Step();
        }
        // From four fifths of it to six, so that nodes do not ask all at once.
        while (!stop.WaitHandle.WaitOne(Tick * (0.8 + (0.4 * Random.Shared.NextDouble()))));
        member.Leave();
    }

    private void Step()
    {
        var settings = configuration.Settings;
        try
        {
            var step = member.Step(
                new NodeFacts(settings.Probe.Enabled, settings.Postfix.FingerprintDigest.Name(), loader.Status?.Sequence), lease.IsHeld ? [] : Wanted());
            requests.Add(step.Requested);
            if (failed)
                logger.NodeIsBack();
            failed = false;
            if (step.Nodes is { } nodes)
                Tell(nodes);
        }
        catch (StoreException fault)
        {
            if (!failed)
                logger.NodeFailed(fault.Message);
            failed = true;
        }
        catch (LedgerUnavailableException)
        {
            // Told with the next heartbeat.
            told = null;
        }
#pragma warning disable CA1031 // what one turn met must not end all of them
        catch (Exception fault)
#pragma warning restore CA1031
        {
            logger.NodeBroke(fault);
        }

        unattended.Take(lease.IsHeld ? [] : member.Unattended, settings.Node, time.GetUtcNow());
        if (refusal != member.Refusal)
        {
            refusal = member.Refusal;
            if (refusal is not null)
                logger.LeaseRefused(refusal);
        }

        if (lease.IsHeld == held)
            return;
        held = !held;
        told = null;
        if (held)
            logger.LeaseTaken(settings.Probe.Enabled ? "probes and alerts" : "alerts, and nobody probes (enabled = no in [probe])", settings.Vantage);
        else
            logger.LeaseLost(settings.Vantage);
    }

    private List<string> Wanted()
    {
        if (time.GetElapsedTime(forgotAt) >= Forget)
        {
            passedOn.Clear();
            forgotAt = time.GetTimestamp();
        }

        var wanted = new List<string>();
        foreach (var (key, _) in demand.Drain(DemandKind.Pinned))
        {
            if (wanted.Count < FleetMember.RequestsAtOnce && passedOn.Count < LookupDemand.MaxPinned && passedOn.Add(key))
                wanted.Add(key);
        }

        return wanted;
    }

    /// <summary>Writes the findings about nodes, where they are others.</summary>
    private void Tell(IReadOnlyList<NodeState> nodes)
    {
        var now = NodeFindings.Of(nodes, configuration.Settings.Node, time.GetUtcNow());
        if (told is not null && now.Select(Said).SequenceEqual(told.Select(Said)))
            return;
        ledger.RecordNodes(now);
        told = now;

        static (FindingKind, string, string) Said(Finding finding) => (finding.Kind, finding.Subject, finding.Detail);
    }
}
