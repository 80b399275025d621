using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What the prober knows of a destination, for people.</summary>
public sealed record ProbeState
{
    /// <summary>What would happen to mail; null before the first look.</summary>
    public DestinationVerdict? Verdict { get; init; }

    /// <summary>Since when it is so.</summary>
    public DateTimeOffset? VerdictSince { get; init; }

    /// <summary>The last look, whatever came of it.</summary>
    public DateTimeOffset? LastProbe { get; init; }

    public DateTimeOffset? NextDue { get; init; }

    /// <summary>How the last lookup of its MX hosts ended.</summary>
    public DnsOutcome Outcome { get; init; }

    public string? Detail { get; init; }

    /// <summary>By MX host, then by address.</summary>
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

    /// <summary>Where a pin was seen, one for each address.</summary>
    public ImmutableArray<PinPresentation> PresentationsOf(Fingerprint pin)
    {
        var sightings = ImmutableArray.CreateBuilder<PinPresentation>();
        foreach (var address in Addresses)
        {
            var runs = address.History.CertificateRuns.Where(run => run.Certificate?.Matches(pin) == true).ToList();
            if (runs.Count == 0)
                continue;
            var last = runs.MaxBy(run => run.Last)!;
            last.Certificate!.Matches(pin, out var subject);
            sightings.Add(new PinPresentation(
                address.MxHost, address.History.Target, last.Certificate, subject, runs.Min(run => run.First), last.Last,
                address.Listed && runs.Any(run => ReferenceEquals(run, address.History.Latest(run.Algorithm)))));
        }

        return sightings.ToImmutable();
    }
}

/// <summary>What the prober knows of a destination, in short.</summary>
/// <param name="Verdict">What would happen to mail.</param>
/// <param name="VerdictSince">Since when it is so.</param>
/// <param name="LastProbe">The last look, whatever came of it.</param>
/// <param name="NextDue">The next.</param>
/// <param name="Expires">When the first of the certificates in use ends; null where none is known.</param>
public sealed record ProbeSummary(
    DestinationVerdict Verdict, DateTimeOffset VerdictSince, DateTimeOffset LastProbe, DateTimeOffset NextDue, DateTimeOffset? Expires);
