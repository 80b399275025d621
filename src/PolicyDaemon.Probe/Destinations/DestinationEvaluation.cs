using System.Collections.Immutable;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Dane;
using PolicyDaemon.Probe.Smtp;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>Computes the result of a destination's probe from the DNS resolution and the histories of its addresses. Pure.</summary>
internal sealed class DestinationEvaluation(DestinationState state, MxResolution resolution, DateTimeOffset now)
{
    // A target that DNS has not named for so long, and that has no pin of ours, is forgotten.
    private static readonly TimeSpan Memory = TimeSpan.FromDays(60);
    private const int MaxTargets = 400;

    /// <summary>What other destinations make of <see cref="Unpinned"/>.</summary>
    public ImmutableArray<PinElsewhere> Elsewhere { get; set; } = [];

    /// <summary>Every target to know of: those that DNS names now, and the remembered ones.</summary>
    public ImmutableArray<MxTarget> Targets { get; } = Merge(state, resolution, now);

    /// <summary>This evaluation as if the resolver were not trusted, so that nothing counts as DNSSEC-secure.</summary>
    public DestinationEvaluation Unproven() => new(
        state,
        resolution with
        {
            MxDnssec = DnssecStatus.Unknown,
            Hosts = [.. resolution.Hosts.Select(host => host with { AddressDnssec = DnssecStatus.Unknown, TlsaDnssec = DnssecStatus.Unknown })],
        },
        now)
    {
        Elsewhere = Elsewhere,
    };

    public bool IsListed(MxTarget target) => resolution.Worked
        ? target.LastListed == now
        : state.LastResolution is { } last && target.LastListed >= last.At;

    /// <summary>The addresses as the rules see them, in the order of <see cref="Targets"/>.</summary>
    /// <param name="histories">The history of each target, the latest probe included.</param>
    /// <param name="seen">The observations of this probe, which have more in them than the histories.</param>
    public ImmutableArray<AddressState> Addresses(
        IReadOnlyDictionary<ProbeTarget, AddressHistory> histories, IReadOnlyDictionary<ProbeTarget, Observation> seen) =>
    [
        .. Targets
            .Where(target => histories.ContainsKey(target.Target))
            .Select(target => Address(target, histories[target.Target], seen.GetValueOrDefault(target.Target))),
    ];

    public ProbeResult Finish(
        IReadOnlyDictionary<ProbeTarget, AddressHistory> histories, IReadOnlyDictionary<ProbeTarget, Observation> seen,
        PostfixSettings postfix, Brake brake, ScheduleOptions options, bool isDnssecUnknown = false)
    {
        var addresses = Addresses(histories, seen);
        var isSecure = resolution.MxDnssec == DnssecStatus.Secure;
        // Where nothing could be looked up, or nobody we trust answered, what was known stays.
        var secureSince = !resolution.Worked || resolution.MxDnssec == DnssecStatus.Unknown
            ? state.SecureSince
            : isSecure ? state.SecureSince ?? now : null;
        var mx = new MxHistory
        {
            Hosts = Hosts((resolution.Worked ? resolution : state.LastResolution)?.Hosts),
            TrustedHosts = state.TrustedHosts,
            Dnssec = resolution.MxDnssec,
            WasSecure = state.WasSecure,
            SecureSince = secureSince,
            HostIsGiven = resolution.HostIsGiven,
            IsCurrent = resolution.Worked,
        };
        var result = Evaluate(addresses, mx, postfix, brake, options.Rotation);
        var listed = addresses.Where(address => address.Listed).Select(address => address.History).ToList();
        var due = Timetable.NextDue(state.Key.Text, now, listed, WaitsForDecision(result), resolution.Worked, options);
        return new ProbeResult
        {
            Key = state.Key,
            At = now,
            Resolution = resolution,
            Targets = [.. Targets.Where(target => IsWorthKeeping(target, histories))],
            SecureSince = secureSince,
            WasSecure = state.WasSecure || (resolution.Worked && isSecure),
            TrustedHosts = result.SeesServedPin && resolution.Worked ? mx.Hosts : state.TrustedHosts,
            Result = result,
            Undecided = Undecided(isDnssecUnknown),
            NextDue = result.ReconsiderAt is { } earlier && earlier < due ? earlier : due,
        };
    }

    private RotationResult Evaluate(
        ImmutableArray<AddressState> addresses, MxHistory mx, PostfixSettings postfix, Brake brake, RotationOptions rotation)
    {
        var result = Judge(addresses, mx, postfix, brake, rotation);
        if (new DestinationFindings(state.Entry.Text, now).OfResolution(resolution) is { } finding)
            return result with { Findings = [finding] };
        // While anything else is wrong or suspicious nobody is asked to choose another level.
        return result is { Findings.IsEmpty: true, Verdict: DestinationVerdict.Ok }
            ? result with { Findings = [.. EntryConflicts.Of(state, addresses, postfix, now)] }
            : result;
    }

    /// <summary>The findings of which this probe can say nothing: a lookup that fails neither ends nor opens what servers gave rise to.</summary>
    /// <param name="isDnssecUnknown">The resolver that is trusted fails its self-test: DNSSEC is not known for the time being.</param>
    private ImmutableHashSet<FindingKind> Undecided(bool isDnssecUnknown)
    {
        if (!resolution.Worked)
        {
            return resolution is { NextHop.IsPath: true } or { NextHop.IsSubdomains: true, Outcome: DnsOutcome.NoMx or DnsOutcome.NullMx }
                ? []
                : [.. FindingKinds.Of(FindingSource.Probe).Where(kind => kind is not (FindingKind.DnsTrouble or FindingKind.NothingToProbe))];
        }

        return isDnssecUnknown ? [FindingKind.TlsaMismatch, FindingKind.DnssecLost, .. OfDane]
            : resolution.Hosts.Any(host => host.TlsaFailed) ? [FindingKind.TlsaMismatch, .. OfDane]
            : [];
    }

    private IEnumerable<FindingKind> OfDane => state.Policy.Level is TlsLevel.Dane or TlsLevel.DaneOnly ? [FindingKind.LevelNotMet] : [];

    private RotationResult Judge(
        ImmutableArray<AddressState> addresses, MxHistory mx, PostfixSettings postfix, Brake brake, RotationOptions rotation)
    {
        var delivery = DeliveryPolicy.Of(state.Policy, state.Key);
        if (state.Policy.Level != TlsLevel.Fingerprint)
        {
            var rules = new DeliveryRules(delivery, postfix);
            var present = MailForecast.Of(rules, addresses);
            var verdict = present.Verdict();
            var met = MailForecast.Of(rules, addresses.Select(address => address with { History = address.History.AsLastMet() }));
            var findings = new DestinationFindings(state.Entry.Text, now).OfLevel(met, present, postfix.FingerprintDigest)
                .Select(finding => finding with { Severity = verdict.SeverityOf(finding.Kind, state.Observe) });
            return new RotationResult([], [.. findings], verdict, NewKeySeen: false, SeesServedPin: false, ReconsiderAt: null);
        }

        return PinRotation.Evaluate(new RotationInput
        {
            Entry = state.Entry.Text,
            Mode = state.Mode,
            Pins = state.Pins,
            Digest = postfix.FingerprintDigest,
            Delivery = delivery,
            Postfix = postfix,
            Addresses = addresses,
            Mx = mx,
            Brake = brake,
            ClockSetAt = state.ClockSetAt,
            Refusals = state.Refusals,
            Elsewhere = Elsewhere,
            Options = rotation,
            IsObserved = state.Observe,
            Now = now,
        });
    }

    /// <summary>The certificates that are presented now and that no pin of the destination serves: all that is on record about them is told.</summary>
    public IEnumerable<ServerCertificate> Unpinned(IReadOnlyDictionary<ProbeTarget, AddressHistory> histories) =>
        state.Policy.Level != TlsLevel.Fingerprint
            ? []
            : Targets.Where(IsListed).Select(target => histories.GetValueOrDefault(target.Target)).OfType<AddressHistory>()
                .Where(history => history.IsSecured)
                .SelectMany(history => history.Algorithms.Select(algorithm => history.Latest(algorithm)?.Certificate)).OfType<ServerCertificate>()
                .Where(certificate => !state.Pins.Any(pin => pin.IsServed && certificate.Matches(pin.Fingerprint)))
                .Distinct();

    /// <summary>One address as the rules see it.</summary>
    /// <param name="target">The address.</param>
    /// <param name="history">The history of the address, the latest probe included.</param>
    /// <param name="observation">The observation of this probe; null where there is none.</param>
    public AddressState Address(MxTarget target, AddressHistory history, Observation? observation = null)
    {
        var host = resolution.Hosts.FirstOrDefault(host => host.Name == target.MxHost);
        var address = new AddressState { MxHost = target.MxHost, History = history, Listed = IsListed(target), Observation = observation };
        if (host is null)
            return address;
        return address with
        {
            Preference = host.Preference,
            MxDnssec = resolution.HostIsGiven || resolution.IsImplicit ? DnssecStatus.Secure : resolution.MxDnssec,
            Tlsa = DaneVerification.StateOf(host),
            SecureTlsa = DaneVerification.SecureRecords(host),
            Dane =
            [
                .. history.Algorithms.Select(algorithm =>
                    (algorithm, DaneVerification.Judge(host, resolution, history.Latest(algorithm)!, now))),
            ],
        };
    }

    private bool WaitsForDecision(RotationResult result)
    {
        var states = state.Pins.ToDictionary(pin => pin.Fingerprint, pin => (PinState?)pin.State);
        foreach (var transition in result.Transitions)
            states[transition.Fingerprint] = transition.To;
        return states.ContainsValue(PinState.Candidate);
    }

    private bool IsWorthKeeping(MxTarget target, IReadOnlyDictionary<ProbeTarget, AddressHistory> histories) =>
        IsListed(target) || now - target.LastListed < Memory
        || (histories.TryGetValue(target.Target, out var history)
            && history.Algorithms.Any(algorithm => history.Latest(algorithm)?.Certificate is { } certificate
                && state.Pins.Any(pin => pin.IsServed && certificate.Matches(pin.Fingerprint))));

    private static ImmutableArray<MxTarget> Merge(DestinationState state, MxResolution resolution, DateTimeOffset now)
    {
        if (!resolution.Worked)
            return state.Targets;
        var targets = new Dictionary<(string, ProbeTarget), MxTarget>();
        foreach (var target in state.Targets)
        {
            // A host whose addresses could not be looked up keeps the ones it had.
            var isUncertain = resolution.Hosts.Any(host => host.Name == target.MxHost
                && host.AddressOutcome is DnsOutcome.Failed or DnsOutcome.Bogus);
            var wasListed = state.LastResolution is { } last && target.LastListed >= last.At;
            targets[(target.MxHost, target.Target)] = isUncertain && wasListed ? target with { LastListed = now } : target;
        }

        var isDane = state.Policy.Level is TlsLevel.Dane or TlsLevel.DaneOnly;
        foreach (var host in resolution.Hosts)
        {
            var name = SniPolicy.For(state.Policy.ServerName, state.Key, host, isDane);
            foreach (var address in host.Addresses)
            {
                var target = new ProbeTarget(address, resolution.Port, name);
                targets[(host.Name, target)] = new MxTarget(host.Name, target, now);
            }
        }

        return
        [
            .. targets.Values
                .OrderByDescending(target => target.LastListed)
                .ThenBy(target => target.MxHost, StringComparer.Ordinal)
                .ThenBy(target => target.Target.Id, StringComparer.Ordinal)
                .Take(MaxTargets),
        ];
    }

    private static ImmutableSortedSet<string> Hosts(ImmutableArray<MxHost>? hosts) =>
        hosts is { IsDefaultOrEmpty: false } some ? [.. some.Select(host => host.Name)] : ImmutableSortedSet<string>.Empty;
}
