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

    private readonly Lock guard = new();
    private readonly HashSet<NextHop> failed = [];
    private DateTimeOffset? brakeSince;
    private DateTimeOffset? troubleSince;
    private DateTimeOffset? dnsSince;
    private DateTimeOffset? untestedSince;
    private bool isRecorded;

    /// <summary>How many destinations are looked after. Of fewer than make it one finding, each has its own at once.</summary>
    public int Destinations { get; set; }

    /// <summary>Takes down how a lookup ended.</summary>
    /// <param name="failedBefore">The last look at this destination failed in DNS too.</param>
    /// <returns>True where the failure is our resolver's, or may be: then it is one finding, here, and not one for each destination. A
    /// destination's own trouble is still there in its next look.</returns>
    public bool IsResolverFailing(MxResolution resolution, bool failedBefore)
    {
        lock (guard)
        {
            if (resolution.Outcome != ProbeOutcome.DnsFailure)
            {
                failed.Clear();
                return false;
            }

            if (failed.Count < ResolverFails)
                failed.Add(resolution.NextHop);
            return failed.Count >= ResolverFails || (!failedBefore && Destinations >= ResolverFails);
        }
    }

    public void Update(Brake brake, string? resolverTrouble, string? untested)
    {
        lock (guard)
        {
            var dnsFails = failed.Count >= ResolverFails;
            if (isRecorded && brake.IsOn == brakeSince.HasValue && (resolverTrouble is not null) == troubleSince.HasValue
                && dnsFails == dnsSince.HasValue && (untested is not null) == untestedSince.HasValue)
                return;
            if (dnsFails && dnsSince is null)
                logger.ResolverFails();
            dnsSince = dnsFails ? dnsSince ?? time.GetUtcNow() : null;
            if (brake.IsOn && brakeSince is null)
                logger.BrakeOn(brake.HostsWithNewKeys, brake.PinnedHosts);
            if (resolverTrouble is not null && troubleSince is null)
                logger.ResolverNotValidating(resolverTrouble);
            brakeSince = brake.IsOn ? brakeSince ?? time.GetUtcNow() : null;
            troubleSince = resolverTrouble is not null ? troubleSince ?? time.GetUtcNow() : null;

            untestedSince = untested is not null ? untestedSince ?? time.GetUtcNow() : null;
            var findings = new List<Finding>();
            if (brakeSince is { } since)
            {
                findings.Add(new Finding(
                    FindingKind.BrakeOn, "prober",
                    $"{brake.HostsWithNewKeys} of {brake.PinnedHosts} MX hosts of pinned destinations showed a new key within {brake.Options.BrakeWindow.ToLongText()}; no pin changes by itself",
                    "policyctl status", since));
            }

            if (troubleSince is { } trouble)
            {
                findings.Add(new Finding(
                    FindingKind.ResolverNotValidating, "prober", $"the resolver marked trusted does not pass its self-test: {resolverTrouble}",
                    "policyctl setup", trouble));
            }

            if (untestedSince is { } doubt)
            {
                findings.Add(new Finding(
                    FindingKind.ResolverHalfTested, "prober", $"the resolver marked trusted is only half tested: {untested}",
                    "Name a bogus domain in dnssec_test_bogus of policydaemon.conf(5)", doubt));
            }

            if (dnsSince is { } failing)
            {
                findings.Add(new Finding(
                    FindingKind.DnsTrouble, "prober", "the resolver answers nothing that the prober asks; no pin changes until it does",
                    "policyctl setup", failing));
            }

            ledger.Record(findings);
            isRecorded = true;
        }
    }
}
