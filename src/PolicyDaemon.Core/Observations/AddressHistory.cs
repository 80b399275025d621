using System.Collections.Immutable;

namespace PolicyDaemon.Core.Observations;

/// <summary>The history of one target: the runs of certificates that it presented, and how the last attempt ended.</summary>
/// <remarks>Built by <see cref="With"/> from observations in their order in time. An inconclusive observation leaves every run as it was.</remarks>
public sealed record AddressHistory(ProbeTarget Target)
{
    /// <summary>Runs kept for one algorithm. A server behind a balancer alternates; older runs than these decide nothing.</summary>
    public const int MaxRuns = 64;

    /// <summary>The runs of all key algorithms, oldest first.</summary>
    public ImmutableArray<CertificateRun> CertificateRuns { get; init; } = [];

    public DateTimeOffset? LastAttempt { get; init; }

    public ProbeOutcome LastOutcome { get; init; }

    /// <summary>What the last attempt met; null where that is not known, as of one that an older version stored.</summary>
    public LastDialogue? LastDialogue { get; init; }

    /// <summary>Attempts in a row that said nothing about the server, for the back-off.</summary>
    public int FailuresInARow { get; init; }

    /// <summary>What is known of the target's offer of STARTTLS, from the last attempt that told.</summary>
    public StartTlsOffer StartTls { get; init; }

    /// <summary>True where the target has offered STARTTLS at some time.</summary>
    public bool HasOfferedStartTls => StartTls != StartTlsOffer.None;

    // So many probes that did not see an algorithm any more let its pin go (RotationOptions.RetireAfterProbes).
    private const int Confirmations = 3;

    /// <summary>True while it is undecided whether the server dropped its RSA or its ECDSA certificate.</summary>
    public bool IsGivingOneUp => Algorithms.Any(algorithm => Latest(algorithm) is { Certificate: null, Probes: < Confirmations });

    /// <summary>When a probe last asked for RSA and for ECDSA, whatever came of it.</summary>
    public DateTimeOffset? BothAlgorithmsAt { get; init; }

    /// <summary>True where the server has presented certificates of more than one algorithm, and still does as far as known.</summary>
    public bool HasSeveral => Algorithms.Count(algorithm => Latest(algorithm)!.Certificate is not null) > 1;

    /// <summary>True where the last attempt saw the server's certificate or its lack of STARTTLS.</summary>
    public bool IsConclusive => LastAttempt is not null && LastOutcome.IsConclusive();

    /// <summary>True where the last attempt saw a certificate.</summary>
    public bool IsSecured => LastAttempt is not null && LastOutcome == ProbeOutcome.Secured;

    /// <summary>True where the target offered STARTTLS before and did not in the last attempt that told.</summary>
    public bool LostStartTls => StartTls == StartTlsOffer.Gone;

    /// <summary>The key algorithms of which the server has presented a certificate.</summary>
    public IEnumerable<KeyAlgorithm> Algorithms => CertificateRuns.Select(run => run.Algorithm).Distinct().Order();

    /// <summary>The runs of one algorithm, oldest first.</summary>
    public IEnumerable<CertificateRun> Runs(KeyAlgorithm algorithm) => CertificateRuns.Where(run => run.Algorithm == algorithm);

    /// <summary>The last run of one algorithm; null where the server has never presented such a certificate.</summary>
    public CertificateRun? Latest(KeyAlgorithm algorithm) => CertificateRuns.LastOrDefault(run => run.Algorithm == algorithm);

    /// <summary>This history and one observation more; one that is not newer than the last attempt is ignored.</summary>
    public AddressHistory With(Observation observation)
    {
        ArgumentNullException.ThrowIfNull(observation);
        if (observation.Target != Target || (LastAttempt is { } last && observation.At <= last))
            return this;

        var next = this with
        {
            LastAttempt = observation.At,
            LastOutcome = observation.Outcome,
            LastDialogue = LastDialogue.Of(observation) with { SpeaksTls12 = observation.SpeaksTls12 ?? LastDialogue?.SpeaksTls12 },
            FailuresInARow = observation.Outcome.IsConclusive() ? 0 : FailuresInARow + 1,
        };
        if (observation.Outcome != ProbeOutcome.Secured)
        {
            return observation.Outcome switch
            {
                ProbeOutcome.StartTlsNotSupported when HasOfferedStartTls => next with { StartTls = StartTlsOffer.Gone },
                ProbeOutcome.PlaintextInjected => next with { StartTls = StartTlsOffer.Injected },
                _ => next,
            };
        }

        next = next with
        {
            StartTls = StartTlsOffer.Offered,
            BothAlgorithmsAt = observation.AskedBothAlgorithms || observation.Certificates.Length + observation.Absent.Length > 1 ? observation.At : BothAlgorithmsAt,
        };
        foreach (var presented in observation.Certificates)
        {
            next = next.Extend(presented.Certificate.Algorithm, presented, observation.At);
        }

        foreach (var absent in observation.Absent.Where(algorithm => next.Latest(algorithm) is not null))
            next = next.Extend(absent, null, observation.At);
        return next;
    }

    /// <summary>This history for a clock that shows <paramref name="now"/>. A later attempt was recorded by a clock that was ahead, and
    /// counts as never made.</summary>
    public AddressHistory AsOf(DateTimeOffset now) => LastAttempt is not { } last || last <= now
        ? this
        : this with
        {
            LastAttempt = null,
            BothAlgorithmsAt = BothAlgorithmsAt > now ? null : BothAlgorithmsAt,
            CertificateRuns = [.. CertificateRuns.Select(run => run.AsOf(now))],
        };

    /// <summary>This history as of the last attempt that the server showed something in: whatever failed since, nothing new is known of it.</summary>
    /// <remarks>What a finding says of a server stays true until the server shows something again; a timeout or a 4xx ends nothing.</remarks>
    public AddressHistory AsLastMet()
    {
        if (LastAttempt is null || !LastOutcome.ShowsNothing())
            return this;
        return StartTls switch
        {
            StartTlsOffer.Gone => this with { LastOutcome = ProbeOutcome.StartTlsNotSupported, LastDialogue = null },
            StartTlsOffer.Injected => this with { LastOutcome = ProbeOutcome.PlaintextInjected, LastDialogue = null },
            StartTlsOffer.Offered when !CertificateRuns.IsEmpty => this with
            {
                LastOutcome = ProbeOutcome.Secured, LastDialogue = null, LastAttempt = CertificateRuns.Max(run => run.Last),
            },
            _ => this,
        };
    }

    private AddressHistory Extend(KeyAlgorithm algorithm, PresentedCertificate? presented, DateTimeOffset at)
    {
        var isTrusted = presented?.Chain == ChainVerdict.Trusted;
        var intermediates = presented?.Intermediates ?? [];
        var latest = Latest(algorithm);
        if (latest is not null && Equals(latest.Certificate, presented?.Certificate))
        {
            var longer = latest.Continue(at, isTrusted) with { Intermediates = intermediates };
            return this with { CertificateRuns = CertificateRuns.Remove(latest).Add(longer) };
        }

        var runs = CertificateRuns.Add(CertificateRun.Begin(algorithm, presented?.Certificate, at, isTrusted) with { Intermediates = intermediates });
        var mine = runs.Where(run => run.Algorithm == algorithm).ToList();
        return this with { CertificateRuns = mine.Count > MaxRuns ? runs.Remove(mine[0]) : runs };
    }
}

/// <summary>What is known of a target's offer of STARTTLS.</summary>
public enum StartTlsOffer
{
    /// <summary>The target has never offered STARTTLS.</summary>
    None,

    Offered,

    /// <summary>The target offered STARTTLS before, and did not when it was met last.</summary>
    Gone,

    /// <summary>Octets in the clear came behind the reply to STARTTLS when it was met last.</summary>
    Injected,
}
