using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>Probes destinations: resolve, connect to each address through <see cref="AddressGate"/>, judge, and record where there is a ledger.</summary>
/// <remarks>The one way of a probe. policyd probes when a destination is due and <c>policyctl probe</c> when a person asks, over the store's
/// ledger; <c>check</c> and whatever fetches pins probe without one, and nothing is stored. Safe for several destinations at once: they share
/// the gate, and so the spacing and what was seen.</remarks>
public sealed class DestinationProbe : IDisposable
{
    private readonly IProbeLedger? ledger;
    private readonly IMxResolver resolver;
    private readonly AddressGate gate;
    private readonly ScheduleOptions options;
    private readonly PostfixSettings postfix;
    private readonly TimeProvider time;

    /// <param name="ledger">Where destinations and targets are remembered and results are recorded; null: nowhere.</param>
    /// <param name="postfix">The Postfix that sends the mail.</param>
    /// <param name="memory">Which earlier observations may stand in for a connection.</param>
    /// <param name="claims">Keeps other programs from an address meanwhile; null where there are none.</param>
    internal DestinationProbe(
        IProbeLedger? ledger, IMxResolver resolver, IServerProbe probe, ScheduleOptions options, PostfixSettings postfix, TimeProvider time,
        GateMemory memory, IAddressClaims? claims = null)
    {
        this.ledger = ledger;
        this.resolver = resolver;
        this.options = options;
        this.postfix = postfix;
        this.time = time;
        gate = new AddressGate(probe, ledger, memory, options, time, claims);
    }

    /// <summary>The findings about the prober itself; null in a process that probes too few destinations to judge it, such as policyctl.</summary>
    internal ProberFindings? Findings { get; init; }

    /// <summary>Probes a destination of the ledger and records the result.</summary>
    /// <param name="key">The destination.</param>
    /// <param name="reason">Why it is probed; how old an observation may be that stands in depends on it.</param>
    /// <param name="passEnded">When the last pass over all that was due ended; null: not known.</param>
    /// <param name="cancellation">Ends the probe; what was observed until then is kept.</param>
    /// <returns>Null where the destination is no longer there, and where there is nothing to probe.</returns>
    /// <exception cref="LedgerUnavailableException">The ledger cannot be read or written.</exception>
    public async Task<ProbedDestination?> RunAsync(
        NextHop key, ProbeReason reason, DateTimeOffset? passEnded, CancellationToken cancellation)
    {
        var asked = time.GetUtcNow();
        if (Ledger.Read(key) is not { } stored || IsIdle(stored, reason))
            return null;
        var notOlderThan = asked - (reason == ProbeReason.Scheduled
            ? Timetable.ScheduledFreshness(stored.LastProbe, stored.Pins.Any(pin => pin.State == PinState.Candidate), asked, options)
            : Timetable.Freshness(reason, options));
        return await RunAsync(stored.AsOf(asked), notOlderThan, passEnded, false, null, cancellation);
    }

    /// <summary>When the destination is due again, where its last probe is fresh enough for a lookup, so that no probe is needed; null where one is.</summary>
    /// <remarks>Postfix asks once per MX host and delivery; one probe answers them all, without DNS and without a write.</remarks>
    internal DateTimeOffset? AnsweredUntil(NextHop key)
    {
        var asked = time.GetUtcNow();
        return Ledger.Read(key)?.AsOf(asked) is { LastProbe: { } last, NextDue: { } due } && asked - last < options.LookupStaleness ? due : null;
    }

    /// <summary>Probes a destination as it is configured or would be; the ledger need not know the destination.</summary>
    /// <param name="state">The destination.</param>
    /// <param name="triesServerNames">Also connect as other levels would: without SNI, with the TLSA base domain where there are usable records, and
    /// with the MX host's name where the certificate shown without it is not valid for the name.</param>
    /// <param name="progress">Told after each address how many are done and how many there are.</param>
    /// <param name="cancellation">Ends the probe without a result.</param>
    public async Task<ProbedDestination> RunAsync(
        DestinationState state, bool triesServerNames, IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(state);
        var asked = time.GetUtcNow();
        return await RunAsync(state, asked, null, triesServerNames, progress, cancellation);
    }

    /// <summary>Records the result of a probe that was made without a ledger, as if it had been made with this one. Makes no connection.</summary>
    /// <exception cref="LedgerUnavailableException">The ledger cannot be read or written.</exception>
    public async Task RecordAsync(ProbedDestination probed)
    {
        ArgumentNullException.ThrowIfNull(probed);
        foreach (var address in probed.Addresses.DistinctBy(address => address.Observation.Target))
            await Ledger.RecordAsync(address.Observation);
        var now = time.GetUtcNow();
        if (Ledger.Read(probed.Resolution.NextHop)?.AsOf(now) is not { } state)
            return;
        var evaluation = new DestinationEvaluation(state, probed.Resolution, now);
        var histories = evaluation.Targets.Select(target => target.Target).Distinct().ToDictionary(target => target, gate.Remembered);
        await FinishAsync(state, evaluation, histories, probed.Addresses.DistinctBy(address => address.Observation.Target).ToDictionary(address => address.Observation.Target, address => address.Observation), passEnded: null, CancellationToken.None);
    }

    /// <summary>Drops the spacing of addresses whose wait is over, and expired entries of the shared DNS cache.</summary>
    public void Sweep()
    {
        gate.Sweep();
        resolver.Sweep();
    }

    public void Dispose() => gate.Dispose();

    private IProbeLedger Ledger => ledger ?? throw new InvalidOperationException("a probe without a ledger stores nothing");

    /// <summary>True where there is nothing to probe: at level none, and where discovery decides, unless a person asks.</summary>
    private static bool IsIdle(DestinationState state, ProbeReason reason) =>
        !state.Policy.Level.IsProbed() && reason != ProbeReason.Person;

    private async Task<ProbedDestination> RunAsync(
        DestinationState state, DateTimeOffset notOlderThan, DateTimeOffset? passEnded, bool triesServerNames,
        IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        var resolution = await resolver.ResolveAsync(state.Key, state.ProbeAs, cancellation);
        var evaluation = new DestinationEvaluation(state, resolution, time.GetUtcNow());
        var probes = new ConcurrentDictionary<ProbeTarget, TargetProbe>();
        var named = new ConcurrentDictionary<(ProbeTarget Target, string Name), Observation>();
        var targets = evaluation.Targets.DistinctBy(target => target.Target).ToList();
        var done = 0;
        await Task.WhenAll(targets.Select(async target =>
        {
            var isListed = resolution.Worked && evaluation.IsListed(target);
            var seen = probes[target.Target] = isListed
                ? await gate.ProbeAsync(target.Target, notOlderThan, bothAlgorithms: true, cancellation)
                : new TargetProbe(gate.Remembered(target.Target), null, IsNews: false);
            foreach (var name in triesServerNames && seen.Observation is { } observation ? OtherNames(target, observation, resolution) : [])
            {
                var other = new ProbeTarget(target.Target.Address, target.Target.Port, name);
                if ((await gate.ProbeAsync(other, notOlderThan, bothAlgorithms: false, cancellation)).Observation is { } shown)
                    named[(target.Target, name)] = shown;
            }

            progress?.Report((Interlocked.Increment(ref done), targets.Count));
        }));

        var histories = probes.ToDictionary(pair => pair.Key, pair => pair.Value.History);
        var observations = probes.Where(pair => pair.Value.Observation is not null).ToDictionary(pair => pair.Key, pair => pair.Value.Observation!);
        var (result, counts) = await FinishAsync(state, evaluation, histories, observations, passEnded, cancellation);
        return new ProbedDestination
        {
            Before = state,
            Resolution = resolution,
            Addresses = Connected(resolution, evaluation, probes, named),
            States = evaluation.Addresses(histories, observations),
            Recorded = result,
            Changed = [.. probes.Where(pair => pair.Value.IsNews).Select(pair => pair.Key)],
            Counts = counts,
        };
    }

    private async Task<(ProbeResult Result, BrakeCounts Counts)> FinishAsync(
        DestinationState state, DestinationEvaluation evaluation, Dictionary<ProbeTarget, AddressHistory> histories,
        Dictionary<ProbeTarget, Observation> seen, DateTimeOffset? passEnded, CancellationToken cancellation)
    {
        var counts = ledger?.ReadBrake(time.GetUtcNow(), options.Rotation.BrakeAtLeast) ?? default;
        evaluation.Elsewhere = ledger is null ? [] : Elsewhere(ledger, state, evaluation, histories);
        var brake = new Brake(counts, passEnded, time.GetUtcNow()) { Options = options.Rotation };
        if (brake.IsNews)
            ledger!.BrakeSet(time.GetUtcNow());
        var result = evaluation.Finish(histories, seen, postfix, brake, options, resolver.Trouble is not null);
        // The hourly self-test's word may be an hour old, and a resolver that has turned meanwhile would be believed.
        if (ledger is not null && result.Result.Transitions.Any(transition => transition.Rule == RotationRule.Dane) && !await resolver.RetestAsync(cancellation))
        {
            evaluation = evaluation.Unproven();
            result = evaluation.Finish(histories, seen, postfix, brake, options, isDnssecUnknown: true);
        }

        if (Findings is not null)
        {
            result = Findings.Withhold(
                state, result, [.. evaluation.Targets.Where(evaluation.IsListed).Select(target => histories[target.Target])]);
        }

        if (ledger is not null)
            await ledger.RecordAsync(result);
        Findings?.Update(state.Key, brake, resolver.Trouble, resolver.Untested);
        return (result, counts);
    }

    private ImmutableArray<PinElsewhere> Elsewhere(
        IProbeLedger from, DestinationState state, DestinationEvaluation evaluation, Dictionary<ProbeTarget, AddressHistory> histories) =>
    [
        .. evaluation.Unpinned(histories)
            .SelectMany(certificate => (Fingerprint[])[
                certificate.Digest(PinSubject.PublicKey, postfix.FingerprintDigest), certificate.Digest(PinSubject.Certificate, postfix.FingerprintDigest)])
            .Select(fingerprint => from.FindElsewhere(state.Key, fingerprint)).OfType<PinElsewhere>(),
    ];

    private static ImmutableArray<ProbedAddress> Connected(
        MxResolution resolution, DestinationEvaluation evaluation,
        ConcurrentDictionary<ProbeTarget, TargetProbe> probes, ConcurrentDictionary<(ProbeTarget Target, string Name), Observation> named) =>
    [
        .. evaluation.Targets
            .Where(target => probes[target.Target].Observation is not null)
            .Select(target => new ProbedAddress(
                resolution.Hosts.First(host => host.Name == target.MxHost), probes[target.Target].Observation!,
                evaluation.Address(target, AsMet(target.Target, probes[target.Target].Observation!, probes[target.Target].History), probes[target.Target].Observation))
            {
                ByName = named.Where(pair => pair.Key.Target == target.Target).ToImmutableDictionary(
                    pair => pair.Key.Name, pair => evaluation.Address(target, AsMet(target.Target, pair.Value, new AddressHistory(target.Target).With(pair.Value with { Target = target.Target })), pair.Value)),
            })
            .OrderBy(address => address.Host.Preference)
            .ThenBy(address => address.Host.Name, StringComparer.Ordinal)
            .ThenBy(address => address.Observation.Target.Address.AddressFamily)
            .ThenBy(address => address.Observation.Target),
    ];

    /// <summary>The history as mail meets the server: nothing is concluded from a certificate behind injected text, and to mail it is the server's.</summary>
    private static AddressHistory AsMet(ProbeTarget target, Observation observation, AddressHistory history) =>
        observation.Outcome == ProbeOutcome.PlaintextInjected
            ? new AddressHistory(target).With(observation with { Target = target, Outcome = ProbeOutcome.Secured }) with { LastOutcome = observation.Outcome, LastDialogue = LastDialogue.Of(observation) }
            : history;

    private static HashSet<string> OtherNames(MxTarget target, Observation seen, MxResolution resolution)
    {
        var own = target.Target.ServerName;
        if (seen.Stage < ProbeStage.Handshake || seen.Outcome == ProbeOutcome.AddressNotAllowed)
            return [];
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (own is not null)
            names.Add("");
        if (IsWorthANamedProbe(target, seen))
            names.Add(target.MxHost);
        var host = resolution.Hosts.FirstOrDefault(host => host.Name == target.MxHost);
        if (host is { TlsaBase: { } name } && Dane.DaneVerification.StateOf(host) == TlsaState.Usable && name != own)
            names.Add(name);
        return names;
    }

    private static bool IsWorthANamedProbe(MxTarget target, Observation seen) =>
        target.Target.ServerName is null && !IPAddress.TryParse(target.MxHost, out _)
        && !(seen is { Outcome: ProbeOutcome.Secured, Certificates: [var first, ..] } && Evidence.IsTrusted(target.MxHost, first.Certificate, first.Chain));
}

/// <summary>Why a destination is probed.</summary>
public enum ProbeReason
{
    /// <summary>The destination is due by its timetable.</summary>
    Scheduled,

    /// <summary>A decision that waited for the end of a pass can be made.</summary>
    Reconsider,

    /// <summary>Another destination's probe saw something new at a shared address.</summary>
    Shared,

    /// <summary>Another destination showed a new key, and a sample tells whether our own network is the cause.</summary>
    Sample,

    /// <summary>Postfix asked for the pinned key, and its last probe is old.</summary>
    Lookup,

    /// <summary>A person asked for the probe.</summary>
    Person,
}
