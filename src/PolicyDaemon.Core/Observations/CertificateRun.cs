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

    /// <summary>What time servers correct every day says nothing about how long something has been seen.</summary>
    public static readonly TimeSpan SmallCorrection = TimeSpan.FromMinutes(1);

    public static CertificateRun Begin(KeyAlgorithm algorithm, ServerCertificate? certificate, DateTimeOffset at, bool trusted) =>
        new(algorithm, certificate, at, at, 1, trusted ? at : null, trusted ? 1 : 0);

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
        };
    }

    /// <summary>The run with one more probe that saw the same certificate.</summary>
    public CertificateRun Continue(DateTimeOffset at, bool trusted) => this with
    {
        Last = at,
        Probes = Probes + 1,
        TrustedSince = trusted ? TrustedSince ?? at : null,
        TrustedProbes = trusted ? TrustedProbes + 1 : 0,
    };
}
