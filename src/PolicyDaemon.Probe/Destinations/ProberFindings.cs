using Microsoft.Extensions.Logging;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Probe.Destinations;

/// <summary>Opens and closes the findings about the prober itself: brake, resolver, clock, and causes that many destinations share.</summary>
/// <param name="ledger">Null: what is withheld is left to the daemon to tell.</param>
internal sealed class ProberFindings(IProbeLedger? ledger, ILogger logger, TimeProvider time)
{
    private const string Subject = "prober";

    // What a person compares while the brake is on, and approves one by one.
    private static readonly string NewKeys = $"policyctl status --kind {FindingKind.NewKey.Name()}";

    // A clock that was set and then keeps time for so long is right.
    private static readonly TimeSpan ClockIsSteadyAfter = TimeSpan.FromHours(1);

    // Each probe of an outage changes the number.
    private static readonly TimeSpan CountedAnewAfter = TimeSpan.FromMinutes(1);

    private readonly Lock guard = new();
    private readonly TroubleWatch lookups = new(time);
    private readonly TroubleWatch connections = new(time);
    private readonly Dictionary<FindingKind, Finding> open = [];
    private readonly Dictionary<FindingKind, long> countedAt = [];
    private long? clockSetAt;
    private bool isRecorded;
    private bool isResumed;

    /// <summary>How many destinations are probed. Of fewer than make it one finding, each has its own at once.</summary>
    public int Destinations { get; set; }

    /// <summary>Counts how a probe ended, and leaves out of its result what is a part of a finding about the prober: a resolver that is gone,
    /// a network without connections, a clock that was set. What it leaves out, the probe neither opens nor ends.</summary>
    /// <param name="before">The destination before the probe.</param>
    /// <param name="result">The result of the probe.</param>
    /// <param name="listed">The histories of the addresses that DNS names.</param>
    public ProbeResult Withhold(DestinationState before, ProbeResult result, IReadOnlyCollection<AddressHistory> listed)
    {
        lock (guard)
        {
            Resume();
            var isFailing = result.Resolution.Outcome == DnsOutcome.Failed;
            var isMet = !isFailing && listed.Any(history => history.LastAttempt is not null && !history.LastOutcome.IsOfTheWay());
            var isOutOfReach = !isFailing && !isMet && result.Result.Findings.Any(finding => finding.Kind == FindingKind.DestinationUnreachable);
            lookups.Add(result.Key, isFailing, Destinations, result.Resolution.Failures);
            if (isMet || isOutOfReach)
                connections.Add(result.Key, isOutOfReach, Destinations);
            var withheld = new List<FindingKind>();
            // With few destinations nothing tells ours from theirs; with many a failure is told when it lasts.
            var isOneOfMany = Destinations >= TroubleWatch.AtLeast;
            if (isFailing && (lookups.IsOn || (isOneOfMany && !FailedBefore(before))))
                withheld.Add(FindingKind.DnsTrouble);
            if (isOutOfReach && (connections.IsOn || (isOneOfMany && listed.Any(history => history.FailuresInARow < 2))))
                withheld.Add(FindingKind.DestinationUnreachable);
            if (clockSetAt is not null)
            {
                // Dates of certificates and of signatures were compared with a time that was not.
                withheld.AddRange(result.Result.Findings
                    .Where(finding => finding.Outcome is ProbeOutcome.CertificateExpired or ProbeOutcome.CertificateNotTrusted or ProbeOutcome.Bogus)
                    .Select(finding => finding.Kind).Where(kind => kind is FindingKind.LevelNotMet or FindingKind.DnsTrouble));
            }

            return withheld.Count == 0 ? result : result with
            {
                Result = result.Result with { Findings = result.Result.Findings.RemoveAll(finding => withheld.Contains(finding.Kind)) },
                Undecided = result.Undecided.Union(withheld),
            };
        }
    }

    /// <summary>Brings the findings about brake and resolver into line with the last probe.</summary>
    /// <param name="probed">The destination.</param>
    /// <param name="brake">The brake.</param>
    /// <param name="resolverTrouble">What is wrong with the resolver that is marked trusted; null where nothing is.</param>
    /// <param name="untested">What the self-test of that resolver could not tell; null where it told everything.</param>
    public void Update(NextHop probed, Brake brake, string? resolverTrouble, string? untested)
    {
        lock (guard)
        {
            Resume();
            var check = Check(probed);
            var change = Set(
                FindingKind.BrakeOn, brake.IsOn,
                () => $"{brake.Why}{(brake.IsTripped ? ", as counted when the brake came on" : "")}; no pin changes by itself for {brake.Options.BrakeWindow.ToLongText()} from then",
                NewKeys);
            if (change is true)
                logger.BrakeOn(brake.Why);
            var trouble = Set(
                FindingKind.ResolverNotValidating, resolverTrouble is not null,
                () => $"the resolver marked trusted does not pass its self-test: {resolverTrouble}; use one that validates, or set resolver_trusted = no", check);
            if (trouble is true)
                logger.ResolverNotValidating(resolverTrouble!);
            var half = Set(
                FindingKind.ResolverHalfTested, untested is not null,
                () => $"the resolver marked trusted is only half tested: {untested}; name a bogus domain in dnssec_test_bogus of policydaemon.conf(5)", check);
            var dns = SetLookups(atOnce: false);
            if (dns is true)
                logger.ResolverFails();
            var network = SetConnections(atOnce: false);
            if (network is true)
                logger.NetworkFails(connections.Count, Destinations);
            if (!isRecorded || (change ?? trouble ?? half ?? dns ?? network) is not null)
                Record();
        }
    }

    /// <summary>Writes anew for how many destinations something fails, once no probe is under way: in the midst of a pass it is written now and then.</summary>
    /// <exception cref="LedgerUnavailableException">It cannot be written.</exception>
    public void CountAnew()
    {
        lock (guard)
        {
            var dns = open.ContainsKey(FindingKind.DnsTrouble) ? SetLookups(atOnce: true) : null;
            var network = open.ContainsKey(FindingKind.NetworkTrouble) ? SetConnections(atOnce: true) : null;
            if ((dns ?? network) is not null)
                Record();
        }
    }

    // A prober that ends leaves its findings open: what fails for many at once does not end because a program was started anew.
    private void Resume()
    {
        if (isResumed)
            return;
        foreach (var finding in ledger?.ReadProberFindings() ?? [])
        {
            if (finding.Kind is FindingKind.DnsTrouble or FindingKind.NetworkTrouble)
            {
                open.Add(finding.Kind, finding);
                countedAt[finding.Kind] = time.GetTimestamp();
                (finding.Kind == FindingKind.DnsTrouble ? lookups : connections).Resume();
            }
        }

        isResumed = true;
    }

    private bool? SetLookups(bool atOnce) => SetMany(
        FindingKind.DnsTrouble, lookups, () => $"{How(lookups)}for {Some(lookups)}{Others(lookups)}; nothing is concluded until they are answered", atOnce);

    private static string How(TroubleWatch many) => ResolverFailure.Clause(many.Failures) is { Length: > 0 } clause ? clause + " " : "no lookup is answered ";

    // A zone that is broken has customers, too: that others are answered is told where it was just so.
    private string Others(TroubleWatch many) => many.WorkedLast && many.Count * 2 < Destinations ? ", and others are answered" : "";

    private bool? SetConnections(bool atOnce) => SetMany(
        FindingKind.NetworkTrouble, connections,
        () => $"no connection reaches {Some(connections)}; this machine's network or what lets port 25 out is the likelier culprit", atOnce);

    /// <summary>Opens the finding that the machine's clock was set.</summary>
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
                    ? $"the clock of this machine was set back by {Span(jump)}: it had been ahead, and what was probed meanwhile is probed again; compare it with one that you trust and have it kept by NTP (timedatectl set-ntp true); this ends when it has kept time for {ClockIsSteadyAfter.ToLongText()}"
                    : $"the clock of this machine was set ahead by {Span(jump)}: dates of certificates were compared with another time before; compare it with one that you trust and have it kept by NTP (timedatectl set-ntp true); this ends when it has kept time for {ClockIsSteadyAfter.ToLongText()}",
                "date -u");
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
            open.Add(kind, new Finding(kind, Subject, detail(), remedy, time.GetUtcNow()));
        else
            open.Remove(kind);
        return holds;
    }

    /// <summary>Opens or closes the finding that something fails for many destinations at once; how many is written anew when the number has doubled or
    /// halved, and otherwise, where it is another one, once a minute or at once.</summary>
    private bool? SetMany(FindingKind kind, TroubleWatch many, Func<string> detail, bool atOnce)
    {
        var known = open.GetValueOrDefault(kind);
        if (many.IsResumed)
            return null;
        if (known is not null && many.IsOn && many.Count < known.Affects * 2 && many.Count * 2 > known.Affects
            && ((!atOnce && time.GetElapsedTime(countedAt[kind]) < CountedAnewAfter)
                || (many.Count == known.Affects && known.Detail.StartsWith(ResolverFailure.Clause(many.Failures), StringComparison.Ordinal))))
            return null;
        if (known is null && !many.IsOn)
            return null;
        if (!many.IsOn)
        {
            open.Remove(kind);
            return false;
        }

        countedAt[kind] = time.GetTimestamp();
        open[kind] = new Finding(kind, Subject, detail(), Check(many.Examples.First()), known?.Since ?? time.GetUtcNow()) { Affects = many.Count };
        return known is null;
    }

    private string Some(TroubleWatch many) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{many.Count} of {Math.Max(Destinations, many.Count)} destinations, among them {string.Join(", ", many.Examples)}");

    private static string Check(NextHop key) => $"policyctl check {Shell.Quote(key.Text)}";

    // A probe that worked has the time of its resolution, but for the moment between them and whole seconds.
    private static bool FailedBefore(DestinationState state) =>
        state.LastProbe is { } last && !(state.LastResolution?.At + TimeSpan.FromSeconds(2) >= last);

    private void Record()
    {
        isRecorded = false;
        ledger?.Record([.. open.Values]);
        isRecorded = true;
    }
}
