using System.Collections.Concurrent;
using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>One look at one destination: resolve, visit each address through <see cref="AddressGate"/>, judge, record.</summary>
/// <remarks>The engine of policyd does it when a destination is due, policyctl when a person asks. Safe for several looks at once;
/// they share the gate, and so the spacing and what each other saw.</remarks>
public sealed class DestinationProbe : IDisposable
{
    private readonly IProbeLedger ledger;
    private readonly IMxResolver resolver;
    private readonly AddressGate gate;
    private readonly ScheduleOptions options;
    private readonly DigestAlgorithm digest;
    private readonly TimeProvider time;

    /// <param name="digest">The digest Postfix compares in.</param>
    public DestinationProbe(
        IProbeLedger ledger, IMxResolver resolver, IServerProbe probe, ScheduleOptions options, DigestAlgorithm digest, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.ledger = ledger;
        this.resolver = resolver;
        this.options = options;
        this.digest = digest;
        this.time = time;
        gate = new AddressGate(probe, ledger, options, time);
    }

    /// <summary>Whatever was seen since then is fresh enough, so that one visit serves everybody behind an address; null: the reason decides.</summary>
    public DateTimeOffset? FreshSince { get; init; }

    /// <summary>Where what concerns the prober itself is taken down; null: nowhere, as in a process that sees little of the whole.</summary>
    internal ProberFindings? Findings { get; init; }

    /// <summary>Looks at a destination and records what it came to.</summary>
    /// <param name="key">The destination.</param>
    /// <param name="reason">How fresh an observation must be depends on it.</param>
    /// <param name="roundEnded">When the last round of all destinations ended; null: not known.</param>
    /// <param name="cancellation">Ends the look; what was observed until then is kept.</param>
    /// <returns>Null where the destination is no longer there.</returns>
    /// <exception cref="LedgerUnavailableException">The ledger cannot be read or written.</exception>
    public async Task<DestinationProbeResult?> RunAsync(
        NextHop key, ProbeReason reason, DateTimeOffset? roundEnded, CancellationToken cancellation)
    {
        if (ledger.Read(key) is not { } stored)
            return null;
        var asked = time.GetUtcNow();
        var watched = stored.AsOf(asked);
        // At level none there is nothing to look at, unless a person asks.
        if (watched.Policy.Level == TlsLevel.None && reason != ProbeReason.Person)
            return null;
        // Postfix asks once per MX host and delivery: a look of a moment ago answers them all, without DNS and without a write.
        if (reason == ProbeReason.Lookup && watched is { LastProbe: { } last, NextDue: { } due } && asked - last < options.LookupStaleness)
            return new DestinationProbeResult(watched, null, due, [], default);
        var resolution = await resolver.ResolveAsync(key, watched.ProbeAs, cancellation);
        var now = time.GetUtcNow();
        var look = new DestinationEvaluation(watched, resolution, now);
        var notOlderThan = FreshSince ?? asked - (reason == ProbeReason.Scheduled
            ? Timetable.ScheduledFreshness(stored.LastProbe, asked, options)
            : Timetable.Freshness(reason, options));

        var histories = new ConcurrentDictionary<ProbeTarget, AddressHistory>();
        var changed = new ConcurrentBag<ProbeTarget>();
        await Task.WhenAll(look.Targets.DistinctBy(target => target.Target).Select(async target =>
        {
            if (!resolution.Worked || !look.IsListed(target))
            {
                histories[target.Target] = ledger.ReadHistory(target.Target).AsOf(now);
                return;
            }

            var (history, isNew) = await gate.LookAsync(target.Target, notOlderThan, cancellation);
            histories[target.Target] = history;
            if (isNew)
                changed.Add(target.Target);
        }));

        return await RecordAsync(watched, look, histories, [.. changed], roundEnded);
    }

    /// <summary>Forgets the spacing of addresses that have waited long enough, and what DNS said too long ago.</summary>
    public void Sweep()
    {
        gate.Sweep();
        resolver.Sweep();
    }

    public void Dispose() => gate.Dispose();

    // A look that worked has the time of its resolution, but for the moment between them and whole seconds.
    private static bool FailedBefore(DestinationState watched) =>
        watched.LastProbe is { } look && !(watched.LastResolution?.At + TimeSpan.FromSeconds(2) >= look);

    private async Task<DestinationProbeResult> RecordAsync(
        DestinationState watched, DestinationEvaluation look, ConcurrentDictionary<ProbeTarget, AddressHistory> histories,
        ImmutableArray<ProbeTarget> changed, DateTimeOffset? roundEnded)
    {
        var counts = ledger.ReadBrake(time.GetUtcNow() - options.Rotation.BrakeWindow);
        var brake = new Brake(counts.PinnedHosts, counts.HostsWithNewKeys, roundEnded) { Options = options.Rotation };
        var round = look.Finish(histories, digest, brake, options);
        if (Findings?.IsResolverFailing(round.Resolution, FailedBefore(watched)) == true)
        {
            var own = round.Result.Findings.RemoveAll(finding => finding.Kind == FindingKind.DnsTrouble);
            round = round with { Result = round.Result with { Findings = own } };
        }

        await ledger.RecordAsync(round);
        Findings?.Update(brake, resolver.Trouble, resolver.Doubt);
        return new DestinationProbeResult(watched, round, round.NextDue, changed, counts) { Addresses = look.Addresses(histories) };
    }
}
