using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Dane;

/// <summary>Compares what a server presents with the TLSA records of its MX host (RFC 7672 section 3).</summary>
/// <remarks>
/// <code>
/// 3 (DANE-EE)   the record names the server's certificate or key; names and dates do not count (section 3.1.1)
/// 2 (DANE-TA)   the record names an issuer in the chain that the server sent; names and dates count (sections 3.1.2, 3.2.2)
/// 0, 1 (PKIX)   not usable for SMTP (section 3.1.3)
/// </code>
/// </remarks>
internal static class DaneVerification
{
    /// <summary>The records that count: secure themselves, and led to by secure addresses or by a secure alias. Otherwise none.</summary>
    public static ImmutableArray<TlsaRecord> SecureRecords(MxHost host) =>
        host.TlsaDnssec == DnssecStatus.Secure && (host.AddressDnssec == DnssecStatus.Secure || IsSecureAlias(host)) ? host.Tlsa : [];

    /// <param name="host">The MX host, as it was looked up.</param>
    /// <param name="nextHop">The destination, whose name a DANE-TA certificate may also be for.</param>
    /// <param name="seen">What one of its addresses presented.</param>
    /// <param name="now">For the dates of a DANE-TA chain.</param>
    public static DaneVerdict Judge(MxHost host, NextHop nextHop, CertificateRun seen, DateTimeOffset now)
    {
        if (host.TlsaFailed || host.TlsaDnssec == DnssecStatus.Bogus || host.AddressDnssec == DnssecStatus.Bogus)
            return DaneVerdict.Unknown;
        if (IsUnjudged(host))
            return DaneVerdict.Unjudged;
        var records = SecureRecords(host);
        if (records.IsEmpty || seen.Certificate is not { } certificate)
            return DaneVerdict.None;
        var usable = records.Where(record => record.IsUsable).ToList();
        if (usable.Count == 0)
            return DaneVerdict.Unusable;
        if (usable.Exists(record => record.NamesServer && record.Matches(certificate.Der.AsSpan(), certificate.PublicKey.AsSpan())))
            return DaneVerdict.Match;

        var anchors = usable.Where(record => !record.NamesServer).ToList();
        string?[] names = [host.Name, host.TlsaBase, nextHop.Host];
        return anchors.Count > 0 && names.Any(name => name is not null && certificate.Covers(name))
            && ChainReaches(anchors, certificate, seen.Intermediates, now)
                ? DaneVerdict.Match
                : DaneVerdict.Mismatch;
    }

    /// <summary>An alias whose TLSA records were sought at its own name below insecure addresses: only a secure alias is (<see cref="Core.Discovery.MxReader"/>).</summary>
    private static bool IsSecureAlias(MxHost host) => host.CanonicalName is not null && host.TlsaBase == host.Name;

    /// <summary>A host that is an address has no TLSA record, and below insecure addresses none counts, whoever says so.</summary>
    private static bool IsUnjudged(MxHost host) => host.AddressDnssec switch
    {
        DnssecStatus.Unknown => !IPAddress.TryParse(host.Name, out _),
        DnssecStatus.Secure => host.TlsaDnssec == DnssecStatus.Unknown,
        _ => false,
    };

    private static bool ChainReaches(
        List<TlsaRecord> anchors, ServerCertificate certificate, ImmutableArray<ImmutableArray<byte>> sent, DateTimeOffset now)
    {
        var issuers = new List<X509Certificate2>();
        try
        {
            foreach (var der in sent)
                issuers.Add(X509CertificateLoader.LoadCertificate(der.AsSpan()));
            using var leaf = X509CertificateLoader.LoadCertificate(certificate.Der.AsSpan());
            using var chain = new X509Chain();
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.VerificationTimeIgnored = false;
            chain.ChainPolicy.VerificationTime = now.UtcDateTime;
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            // The record is the anchor, not a root of the WebPKI: an unknown or missing root above it does not matter.
            chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
            chain.ChainPolicy.ExtraStore.AddRange(issuers.ToArray());
            chain.ChainPolicy.CustomTrustStore.AddRange(
                issuers.Where(issuer => issuer.SubjectName.RawData.AsSpan().SequenceEqual(issuer.IssuerName.RawData)).ToArray());
            chain.Build(leaf);
            return Reaches(chain, anchors);
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            issuers.ForEach(issuer => issuer.Dispose());
        }
    }

    // Every link up to the anchor must be sound; what lies above it is not asked about.
    private static bool Reaches(X509Chain chain, List<TlsaRecord> anchors)
    {
        const X509ChainStatusFlags Above = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain
            | X509ChainStatusFlags.RevocationStatusUnknown | X509ChainStatusFlags.OfflineRevocation;
        foreach (var (element, depth) in chain.ChainElements.Select((element, depth) => (element, depth)))
        {
            if (element.ChainElementStatus.Any(status => (status.Status & ~Above) != X509ChainStatusFlags.NoError))
                return false;
            var publicKey = element.Certificate.PublicKey.ExportSubjectPublicKeyInfo();
            if (depth > 0 && anchors.Exists(anchor => anchor.Matches(element.Certificate.RawData, publicKey)))
                return true;
        }

        return false;
    }
}
