using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins.Rotation;
using PolicyDaemon.Core.Probing;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>What a person should read about the prober itself: one finding each, written when it begins and when it ends.</summary>
internal sealed class ProberFindings(IProbeLedger ledger, ILogger logger, TimeProvider time)
{
    private readonly Lock guard = new();
    private DateTimeOffset? brakeSince;
    private DateTimeOffset? troubleSince;
    private bool isRecorded;

    public void Update(Brake brake, string? resolverTrouble)
    {
        lock (guard)
        {
            if (isRecorded && brake.IsOn == brakeSince.HasValue && (resolverTrouble is not null) == troubleSince.HasValue)
                return;
            if (brake.IsOn && brakeSince is null)
                logger.BrakeOn(brake.GroupsWithNewKeys, brake.PinnedGroups);
            if (resolverTrouble is not null && troubleSince is null)
                logger.ResolverNotValidating(resolverTrouble);
            brakeSince = brake.IsOn ? brakeSince ?? time.GetUtcNow() : null;
            troubleSince = resolverTrouble is not null ? troubleSince ?? time.GetUtcNow() : null;

            var findings = new List<Finding>();
            if (brakeSince is { } since)
            {
                findings.Add(new Finding(
                    FindingKind.BrakeOn, "prober",
                    $"{brake.GroupsWithNewKeys} of {brake.PinnedGroups} pinned groups showed a new key within 24 hours; no pin changes by itself",
                    "policyctl status", since));
            }

            if (troubleSince is { } trouble)
            {
                findings.Add(new Finding(
                    FindingKind.ResolverNotValidating, "prober", $"the resolver marked trusted does not pass its self-test: {resolverTrouble}",
                    "policyctl setup", trouble));
            }

            ledger.Record(findings);
            isRecorded = true;
        }
    }
}
