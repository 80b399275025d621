using Microsoft.Extensions.Logging;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>What a person should read about the prober itself: one finding each, written when it begins and when it ends.</summary>
internal sealed class ProberFindings(IProbeLedger ledger, ILogger logger, TimeProvider time)
{
    // So many lookups in a row that failed, of different destinations, are our resolver's fault and not theirs.
    private const int ResolverFails = 5;

    // A clock that was set and then keeps time for so long is right.
    private static readonly TimeSpan ClockIsSteadyAfter = TimeSpan.FromHours(1);

    private readonly Lock guard = new();
    private readonly HashSet<NextHop> failed = [];
    private readonly Dictionary<FindingKind, Finding> open = [];
    private long? clockSetAt;
    private bool isRecorded;

    /// <summary>How many destinations are probed. Of fewer than make it one finding, each has its own at once.</summary>
    public int Destinations { get; set; }

    /// <summary>Takes down how a lookup ended.</summary>
    /// <param name="failedBefore">The last probe of this destination failed in DNS too.</param>
    /// <returns>True where the failure is our resolver's, or may be: then it is one finding, here, and not one for each destination. A
    /// destination's own trouble is still there in its next probe.</returns>
    public bool IsResolverFailing(MxResolution resolution, bool failedBefore)
    {
        lock (guard)
        {
            if (resolution.Outcome != DnsOutcome.Failed)
            {
                failed.Clear();
                return false;
            }

            if (failed.Count < ResolverFails)
                failed.Add(resolution.NextHop);
            return failed.Count >= ResolverFails || (!failedBefore && Destinations >= ResolverFails);
        }
    }

    /// <summary>Takes down what the last probe of a destination says of the prober.</summary>
    /// <param name="brake">The brake.</param>
    /// <param name="resolverTrouble">What is wrong with the resolver that is marked trusted; null where nothing is.</param>
    /// <param name="untested">What its self-test could not tell; null where nothing.</param>
    public void Update(Brake brake, string? resolverTrouble, string? untested)
    {
        lock (guard)
        {
            var dnsFails = failed.Count >= ResolverFails;
            var change = Set(
                FindingKind.BrakeOn, brake.IsOn,
                () => $"{brake.HostsWithNewKeys} of {brake.PinnedHosts} MX hosts of pinned destinations showed a new key within {brake.Options.BrakeWindow.ToLongText()}; no pin changes by itself",
                "policyctl status");
            if (change is true)
                logger.BrakeOn(brake.HostsWithNewKeys, brake.PinnedHosts);
            var trouble = Set(
                FindingKind.ResolverNotValidating, resolverTrouble is not null,
                () => $"the resolver marked trusted does not pass its self-test: {resolverTrouble}", "policyctl setup");
            if (trouble is true)
                logger.ResolverNotValidating(resolverTrouble!);
            var half = Set(
                FindingKind.ResolverHalfTested, untested is not null,
                () => $"the resolver marked trusted is only half tested: {untested}",
                "Name a bogus domain in dnssec_test_bogus of policydaemon.conf(5)");
            var dns = Set(
                FindingKind.DnsTrouble, dnsFails,
                () => "the resolver answers nothing that the prober asks; no pin changes until it does", "policyctl setup");
            if (dns is true)
                logger.ResolverFails();
            if (!isRecorded || (change ?? trouble ?? half ?? dns) is not null)
                Record();
        }
    }

    /// <summary>Takes down that the machine's clock was set.</summary>
    /// <param name="jump">How far; back where it is negative.</param>
    /// <exception cref="LedgerUnavailableException">It cannot be written.</exception>
    public void ClockSet(TimeSpan jump)
    {
        lock (guard)
        {
            open.Remove(FindingKind.ClockJumped);
            Set(
                FindingKind.ClockJumped, true,
                () => jump < TimeSpan.Zero
                    ? $"the clock of this machine was set back by {Span(jump)}: it had been ahead, and what was probed meanwhile is probed again; this ends when the clock has kept time for {ClockIsSteadyAfter.ToLongText()}"
                    : $"the clock of this machine was set ahead by {Span(jump)}: dates of certificates were compared with another time before; this ends when the clock has kept time for {ClockIsSteadyAfter.ToLongText()}",
                "timedatectl set-ntp true");
            clockSetAt = time.GetTimestamp();
            Record();
        }
    }

    /// <summary>The clock has kept time since the last call.</summary>
    /// <exception cref="LedgerUnavailableException">It cannot be written that the finding is over.</exception>
    public void ClockKeepsTime()
    {
        lock (guard)
        {
            if (clockSetAt is not { } at || time.GetElapsedTime(at) < ClockIsSteadyAfter)
                return;
            open.Remove(FindingKind.ClockJumped);
            clockSetAt = null;
            Record();
        }
    }

    internal static string Span(TimeSpan jump) =>
        (jump.Duration() >= TimeSpan.FromHours(2) ? TimeSpan.FromHours(Math.Round(jump.Duration().TotalHours)) : TimeSpan.FromMinutes(Math.Round(jump.Duration().TotalMinutes))).ToLongText();

    /// <returns>True where it begins, false where it ends, null where nothing changes.</returns>
    private bool? Set(FindingKind kind, bool holds, Func<string> detail, string remedy)
    {
        if (holds == open.ContainsKey(kind))
            return null;
        if (holds)
            open.Add(kind, new Finding(kind, "prober", detail(), remedy, time.GetUtcNow()));
        else
            open.Remove(kind);
        return holds;
    }

    private void Record()
    {
        isRecorded = false;
        ledger.Record([.. open.Values]);
        isRecorded = true;
    }
}
