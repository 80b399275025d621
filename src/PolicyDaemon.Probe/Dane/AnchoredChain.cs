using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Probe.Certificates;

namespace PolicyDaemon.Probe.Dane;

/// <summary>Whether a certificate's chain reaches an issuer that a TLSA record names (DANE-TA, RFC 7672 section 3.1.2).</summary>
/// <remarks>
/// The anchor is the record, not a root of the WebPKI: an unknown or missing root above it does not matter. A record with a whole
/// certificate brings the issuer along that the server need not send; one with a whole key verifies the last signature (OpenSSL,
/// crypto/x509/x509_vfy.c, check_dane_issuer and check_dane_pkeys).
/// </remarks>
internal static class AnchoredChain
{
    // What lies above the anchor is not asked about.
    private const X509ChainStatusFlags Above = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain
        | X509ChainStatusFlags.RevocationStatusUnknown | X509ChainStatusFlags.OfflineRevocation;

    public static bool Reaches(
        List<TlsaRecord> anchors, ServerCertificate certificate, ImmutableArray<ImmutableArray<byte>> sent, DateTimeOffset now)
    {
        var issuers = new List<X509Certificate2>();
        try
        {
            foreach (var der in sent.Concat(anchors.Where(anchor => anchor is { Selector: 0, MatchingType: 0 }).Select(anchor => anchor.Data)))
                issuers.Add(X509CertificateLoader.LoadCertificate(der.AsSpan()));
            using var leaf = X509CertificateLoader.LoadCertificate(certificate.Der.AsSpan());
            using var chain = new X509Chain();
            chain.ChainPolicy.DisableCertificateDownloads = true;
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.VerificationTimeIgnored = false;
            chain.ChainPolicy.VerificationTime = now.UtcDateTime;
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
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

    private static bool Reaches(X509Chain chain, List<TlsaRecord> anchors)
    {
        for (var depth = 0; depth < chain.ChainElements.Count; depth++)
        {
            var element = chain.ChainElements[depth];
            if (element.ChainElementStatus.Any(status => (status.Status & ~Above) != X509ChainStatusFlags.NoError))
                return false;
            var publicKey = element.Certificate.PublicKey.ExportSubjectPublicKeyInfo();
            if (depth > 0 && anchors.Exists(anchor => anchor.Matches(element.Certificate.RawData, publicKey)))
                return (CertificateStrength.Problem(chain, depth) ?? ChainRules.Problem(chain, depth)) is null;
            var isLast = depth == chain.ChainElements.Count - 1;
            if (isLast && anchors.Exists(anchor => anchor is { Selector: 1, MatchingType: 0 } && CertificateSignature.IsBy(element.Certificate, anchor.Data.AsSpan())))
                return (CertificateStrength.Problem(chain, depth + 1) ?? ChainRules.Problem(chain, depth)) is null;
        }

        return false;
    }
}
