using System.Collections.Immutable;

namespace PolicyDaemon.Core.Observations;

/// <summary>A run of conclusive probes, one after the other, in which an address presented the same certificate of an algorithm.</summary>
/// <param name="Algorithm">The key algorithm; RSA and ECDSA certificates of one address are tracked apart.</param>
/// <param name="Certificate">Null for a run of probes in which the server had none of this algorithm.</param>
/// <param name="First">The first probe of the run.</param>
/// <param name="Last">The last probe of the run so far.</param>
/// <param name="Probes">The number of probes in the run.</param>
/// <param name="TrustedSince">Since when every probe of the run found the chain trusted; null where the last one did not.</param>
/// <param name="TrustedProbes">The number of probes since then.</param>
public sealed record CertificateRun(
    KeyAlgorithm Algorithm, ServerCertificate? Certificate, DateTimeOffset First, DateTimeOffset Last, int Probes,
    DateTimeOffset? TrustedSince, int TrustedProbes)
{
    /// <summary>The certificates that the server sent behind its own in the last probe, DER: DANE-TA needs them.</summary>
    public ImmutableArray<ImmutableArray<byte>> Intermediates { get; init; } = [];

    /// <summary>When the probes since <see cref="TrustedSince"/> were made, oldest first: all of the last ones, and of what is longer ago
    /// so many that no gap seems longer than it was by more than a fifth of its age.</summary>
    public ImmutableArray<DateTimeOffset> TrustedAt { get; init; } = [];

    // Probes every five minutes for a month leave about as many.
    private const int MaxTimes = 96;
    private const int PartOfAge = 5;

    /// <summary>The largest correction of the clock that counts for none: what time servers correct every day.</summary>
    public static readonly TimeSpan SmallCorrection = TimeSpan.FromMinutes(1);

    public static CertificateRun Begin(KeyAlgorithm algorithm, ServerCertificate? certificate, DateTimeOffset at, bool trusted) =>
        new(algorithm, certificate, at, at, 1, trusted ? at : null, trusted ? 1 : 0) { TrustedAt = trusted ? [at] : [] };

    /// <summary>The run for a clock that shows <paramref name="now"/>: what a clock that was ahead saw later was seen by now. For how long
    /// the chain has been trusted is then not known, and counts anew.</summary>
    public CertificateRun AsOf(DateTimeOffset now)
    {
        if (Last <= now)
            return this;
        var isTrustKnown = Last - now <= SmallCorrection;
        return this with
        {
            First = First > now ? now : First,
            Last = now,
            TrustedSince = isTrustKnown ? TrustedSince > now ? now : TrustedSince : null,
            TrustedProbes = isTrustKnown ? TrustedProbes : 0,
            TrustedAt = isTrustKnown ? [.. TrustedAt.Select(at => at > now ? now : at)] : [],
        };
    }

    /// <summary>The run with one more probe that saw the same certificate.</summary>
    public CertificateRun Continue(DateTimeOffset at, bool trusted) => this with
    {
        Last = at,
        Probes = Probes + 1,
        TrustedSince = trusted ? TrustedSince ?? at : null,
        TrustedProbes = trusted ? TrustedProbes + 1 : 0,
        TrustedAt = trusted ? Thinned([.. TrustedAt, at]) : [],
    };

    private static ImmutableArray<DateTimeOffset> Thinned(ImmutableArray<DateTimeOffset> times)
    {
        var (now, later) = (times[^1], times[^1]);
        var kept = new List<DateTimeOffset> { now };
        for (var i = times.Length - 2; i >= 0 && kept.Count < MaxTimes; i--)
        {
            // The oldest stays; another one goes where the gap that it leaves is small for its age.
            if (i > 0 && later - times[i - 1] <= (now - later) / PartOfAge)
                continue;
            later = times[i];
            kept.Add(later);
        }

        kept.Reverse();
        return [.. kept];
    }
}
