using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>Probes each destination when it is due.</summary>
/// <remarks>
/// <see cref="EngineLoop"/> knows what is due; probes (<see cref="DestinationProbe"/>) run beside it and report back. When an address shows
/// something new, everybody behind it is judged with that same observation. When a key is new, a sample of other destinations is probed, too,
/// so that the brake can tell a renewal from a fault of our network.
/// </remarks>
public sealed class ProbeEngine : IDisposable
{
    private readonly IProbeLedger ledger;
    private readonly DestinationProbe destinations;
    private readonly RotationOptions rotation;
    private readonly EngineLoop loop;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ProbeCounters counters;
    private volatile StrongBox<Brake>? lastBrake;

    /// <param name="random">Chooses samples.</param>
    /// <param name="postfix">The Postfix that sends the mail.</param>
    /// <param name="counters">Where what it meets and moves is counted; null: nobody asks.</param>
    /// <param name="claims">Keeps other programs from an address meanwhile; null where there are none.</param>
    public ProbeEngine(
        IProbeLedger ledger, IMxResolver resolver, IServerProbe probe, ScheduleOptions options, PostfixSettings postfix, Random random,
        TimeProvider time, ILogger logger, ProbeCounters? counters = null, IAddressClaims? claims = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.ledger = ledger;
        this.time = time;
        this.logger = logger;
        this.counters = counters ?? new ProbeCounters();
        rotation = options.Rotation;
        var findings = new ProberFindings(ledger, logger, time);
        destinations = new DestinationProbe(ledger, resolver, new CountedProbe(probe, this.counters, time), options, postfix, time, GateMemory.Ledger, claims) { Findings = findings };
        loop = new EngineLoop(ledger, findings, ProbeAsync, destinations.Sweep, options, random, time, logger);
    }

    /// <summary>True where no destination is due and no probe is under way.</summary>
    public bool IsIdle => loop.IsIdle;

    /// <summary>The counts of the engine now. May be read from any thread.</summary>
    public EngineStatus Status => loop.Status;

    /// <summary>When the last pass ended, that is, when no destination was due or under way any more; null before the first end.</summary>
    public DateTimeOffset? PassEnded => loop.PassEnded;

    /// <summary>The brake as of the last probe; null before the first probe.</summary>
    public Brake? Brake => lastBrake?.Value;

    /// <summary>Makes a destination due now, because a person or a lookup asks for it. Cheap, from any thread.</summary>
    public void Want(NextHop key, ProbeReason reason) => loop.Want(key, reason);

    /// <summary>Tells the engine that destinations were added, changed or removed.</summary>
    /// <param name="anyKey">False where <see cref="Want"/> is called for each destination that was added or changed.</param>
    public void ListChanged(bool anyKey = true) => loop.ListChanged(anyKey);

    /// <summary>Runs until it is cancelled; probes that are under way end first.</summary>
    public Task RunAsync(CancellationToken cancellation) => loop.RunAsync(cancellation);

    public void Dispose()
    {
        loop.Dispose();
        destinations.Dispose();
    }

    /// <returns>How the probe ended; null where it was cancelled.</returns>
    private async Task<EngineSignal.ProbeEnded?> ProbeAsync(NextHop key, ProbeReason reason, CancellationToken cancellation)
    {
        // Off the loop from the first instruction: the ledger is synchronous.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            if (reason == ProbeReason.Lookup && destinations.AnsweredUntil(key) is { } due)
                return new EngineSignal.ProbeEnded { Key = key, NextDue = due };
            var probed = await destinations.RunAsync(key, reason, PassEnded, cancellation);
            return probed is null ? new EngineSignal.ProbeEnded { Key = key, NextDue = null } : Ended(key, reason, probed);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return null;
        }
        catch (LedgerUnavailableException fault)
        {
            logger.LedgerUnavailable(EngineLoop.RetryAfterFault, fault.Message);
            return Failed(key);
        }
#pragma warning disable CA1031 // the outermost catch of one probe: it ends that probe only
        catch (Exception fault)
#pragma warning restore CA1031
        {
            logger.ProbeFailed(fault, key.Text, EngineLoop.RetryAfterFault);
            return Failed(key);
        }
    }

    private EngineSignal.ProbeEnded Failed(NextHop key) =>
        new() { Key = key, NextDue = time.GetUtcNow() + EngineLoop.RetryAfterFault, IsRecorded = false };

    private EngineSignal.ProbeEnded Ended(NextHop key, ProbeReason reason, ProbedDestination probed)
    {
        var result = probed.Recorded.Result;
        lastBrake = new StrongBox<Brake>(
            new Brake(probed.Counts, PassEnded, time.GetUtcNow()) { Options = rotation });
        logger.Probed(key.Text, result.Verdict.Name(), reason.ToString());
        if (probed.Resolution.Outcome.AsProbeOutcome() is { } unresolved)
            counters.Resolved(unresolved);
        foreach (var transition in result.Transitions)
        {
            counters.Moved(transition.To);
            logger.PinMoved(key.Text, transition.Fingerprint.Hex, transition.To?.Name() ?? "forgotten", transition.Reason);
        }

        return new EngineSignal.ProbeEnded
        {
            Key = key,
            NextDue = probed.Recorded.NextDue,
            AwaitsEndOfPass = result.ReconsiderAt is not null || result.NewKeySeen,
            Sharing = [.. probed.Changed.SelectMany(ledger.Sharing).Distinct()],
            NewKeySeen = result.NewKeySeen,
        };
    }
}

/// <summary>The counts of the engine.</summary>
/// <param name="Destinations">How many destinations it probes.</param>
/// <param name="InFlight">How many probes run now.</param>
/// <param name="Due">How many destinations wait for their turn; a few seconds old.</param>
/// <param name="Probes">How many probes have ended since the start.</param>
public sealed record EngineStatus(int Destinations, int InFlight, int Due, long Probes);
