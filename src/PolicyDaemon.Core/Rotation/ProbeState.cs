using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The stored state of a destination's probes, for people.</summary>
public sealed record ProbeState
{
    /// <summary>The verdict of the last probe; null before the first one.</summary>
    public DestinationVerdict? Verdict { get; init; }

    /// <summary>Since when the verdict is the same.</summary>
    public DateTimeOffset? VerdictSince { get; init; }

    /// <summary>True where the entry has come to its end (<c>--until</c>) after the last probe: what mail meets since is not known yet.</summary>
    public bool EndedSince { get; init; }

    /// <summary>The last probe, whatever its outcome.</summary>
    public DateTimeOffset? LastProbe { get; init; }

    public DateTimeOffset? NextDue { get; init; }

    /// <summary>How the last lookup of the MX hosts ended.</summary>
    public DnsOutcome Outcome { get; init; }

    public string? Detail { get; init; }

    /// <summary>The last resolution of the MX hosts that worked; null before the first.</summary>
    public MxResolution? Resolution { get; init; }

    /// <summary>The addresses, by MX host, then by address.</summary>
    public ImmutableArray<MxAddress> Addresses { get; init; } = [];

    /// <summary>When the first of the certificates in use ends; null where none is known.</summary>
    public DateTimeOffset? Expires => Current.Select(run => (DateTimeOffset?)run.Certificate!.NotAfter).Min();

    /// <summary>The certificates that listed addresses presented last.</summary>
    private IEnumerable<CertificateRun> Current =>
        from address in Addresses
        where address.Listed
        from algorithm in address.History.Algorithms
        let run = address.History.Latest(algorithm)
        where run.Certificate is not null
        select run;

    /// <summary>The places where a pin's key or certificate was presented, one for each address.</summary>
    public ImmutableArray<PinPresentation> PresentationsOf(Fingerprint pin)
    {
        var presentations = ImmutableArray.CreateBuilder<PinPresentation>();
        foreach (var address in Addresses)
        {
            var runs = address.History.CertificateRuns.Where(run => run.Certificate?.Matches(pin) == true).ToList();
            if (runs.Count == 0)
                continue;
            var last = runs.MaxBy(run => run.Last)!;
            last.Certificate!.Matches(pin, out var subject);
            presentations.Add(new PinPresentation(
                address.MxHost, address.History.Target, last.Certificate, subject, runs.Min(run => run.First), last.Last,
                address.Listed && runs.Any(run => ReferenceEquals(run, address.History.Latest(run.Algorithm)))));
        }

        return presentations.ToImmutable();
    }
}

/// <summary>A summary of the stored state of a destination's probes.</summary>
/// <param name="Verdict">What would happen to mail.</param>
/// <param name="VerdictSince">Since when the verdict is the same.</param>
/// <param name="LastProbe">The last probe, whatever its outcome.</param>
/// <param name="NextDue">When the next probe is due.</param>
/// <param name="Expires">When the first of the certificates in use ends; null where none is known.</param>
public sealed record ProbeSummary(
    DestinationVerdict Verdict, DateTimeOffset VerdictSince, DateTimeOffset LastProbe, DateTimeOffset NextDue, DateTimeOffset? Expires);
