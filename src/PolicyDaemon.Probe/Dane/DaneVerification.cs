using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Dane;

/// <summary>Compares what a server presents with the TLSA records of its MX host (RFC 7672 section 3).</summary>
/// <remarks>
/// <code>
/// 3 (DANE-EE)   the record names the server's certificate or key; names and dates do not count (section 3.1.1)
/// 2 (DANE-TA)   the record names an issuer in the chain that the server sent, or brings it along; names and dates count (3.1.2, 3.2.2)
/// 0, 1 (PKIX)   not usable for SMTP (section 3.1.3)
/// </code>
/// Of several digests for one usage and selector only the strongest counts (RFC 7671 section 9, digest agility), as in OpenSSL.
/// </remarks>
public static class DaneVerification
{
    /// <summary>The records that count: secure themselves, and led to by secure addresses or by a secure alias. Otherwise none.</summary>
    public static ImmutableArray<TlsaRecord> SecureRecords(MxHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.TlsaDnssec == DnssecStatus.Secure && (host.AddressDnssec == DnssecStatus.Secure || IsSecureAlias(host)) ? host.Tlsa : [];
    }

    /// <summary>The state of the host's TLSA records, whatever the server presents.</summary>
    public static TlsaState StateOf(MxHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (host.TlsaFailed || host.TlsaDnssec == DnssecStatus.Bogus || host.AddressDnssec == DnssecStatus.Bogus)
            return TlsaState.Failed;
        if (IsUnjudged(host))
            return host.Tlsa.IsEmpty ? TlsaState.NoneKnown : TlsaState.Unjudged;
        var records = SecureRecords(host);
        return records.IsEmpty ? TlsaState.None : records.Any(record => record.IsUsable) ? TlsaState.Usable : TlsaState.Unusable;
    }

    /// <param name="host">The MX host, as it was looked up.</param>
    /// <param name="resolution">How it was found: a DANE-TA certificate may also be for the destination.</param>
    /// <param name="seen">What one of its addresses presented.</param>
    /// <param name="now">For the dates of a DANE-TA chain.</param>
    public static DaneVerdict Judge(MxHost host, MxResolution resolution, CertificateRun seen, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(resolution);
        ArgumentNullException.ThrowIfNull(seen);
        switch (StateOf(host))
        {
            case TlsaState.Failed:
                return DaneVerdict.Unknown;
            case TlsaState.NoneKnown or TlsaState.Unjudged:
                return DaneVerdict.Unjudged;
            case TlsaState.None:
                return DaneVerdict.None;
            case TlsaState.Unusable:
                return DaneVerdict.Unusable;
        }

        if (seen.Certificate is not { } certificate)
            return DaneVerdict.None;
        var records = Strongest(SecureRecords(host).Where(record => record.IsUsable)).ToList();
        if (records.Exists(record => record.NamesServer && record.Matches(certificate.Der.AsSpan(), certificate.PublicKey.AsSpan())))
            return DaneVerdict.Match;

        var anchors = records.Where(record => !record.NamesServer).ToList();
        return anchors.Count > 0 && Names(host, resolution).Any(certificate.Covers) && AnchoredChain.Reaches(anchors, certificate, seen.Intermediates, now)
            ? DaneVerdict.Match
            : DaneVerdict.Mismatch;
    }

    /// <summary>The TLSA base domain, and where MX records led to the host the domain as it was asked and at the end of its aliases (dane_init).</summary>
    private static IEnumerable<string> Names(MxHost host, MxResolution resolution)
    {
        yield return host.TlsaBase ?? host.Name;
        if (resolution.HostIsGiven || resolution.IsImplicit)
            yield break;
        yield return resolution.NextHop.Host;
        if (resolution.CanonicalName is { } canonical)
            yield return canonical;
    }

    /// <summary>The records to compare: of each usage and selector those with the strongest digest, and those with the whole octets (RFC 7671 section 9).</summary>
    private static IEnumerable<TlsaRecord> Strongest(IEnumerable<TlsaRecord> usable) => usable
        .GroupBy(record => (record.Usage, record.Selector))
        .SelectMany(records =>
        {
            var strongest = records.Max(record => record.MatchingType);
            return records.Where(record => record.MatchingType == 0 || record.MatchingType == strongest);
        });

    /// <summary>An alias whose TLSA records were sought at its own name below insecure addresses: only a secure alias is (<see cref="Core.Discovery.MxReader"/>).</summary>
    private static bool IsSecureAlias(MxHost host) => host.CanonicalName is not null && host.TlsaBase == host.Name;

    /// <summary>A host that is an address has no TLSA record, and below insecure addresses none counts, whoever says so.</summary>
    private static bool IsUnjudged(MxHost host) => host.AddressDnssec switch
    {
        DnssecStatus.Unknown => !IPAddress.TryParse(host.Name, out _),
        DnssecStatus.Secure => host.TlsaDnssec == DnssecStatus.Unknown,
        _ => false,
    };
}
