using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Browser.Site;

/// <summary>Certificates as mail servers show them, of any name.</summary>
internal static class PeerCertificates
{
    /// <summary>A certificate of a public authority, as far as the probe can tell.</summary>
    public static PresentedCertificate Trusted(string name, DateTimeOffset from, int days) => Make(name, [name], from, days, ChainVerdict.Trusted, rsa: false);

    /// <summary>A self-signed certificate.</summary>
    public static PresentedCertificate SelfSigned(string name, DateTimeOffset from, int days, bool rsa = false) =>
        Make(name, [name], from, days, ChainVerdict.NotTrusted, rsa);

    /// <summary>A self-signed certificate with a common name and alternative names that no honest server has.</summary>
    public static PresentedCertificate Named(string commonName, IReadOnlyList<string> names, DateTimeOffset from, int days) =>
        Make(commonName, names, from, days, ChainVerdict.NotTrusted, rsa: false);

    private static PresentedCertificate Make(string commonName, IReadOnlyList<string> names, DateTimeOffset from, int days, ChainVerdict chain, bool rsa)
    {
        using AsymmetricAlgorithm key = rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(commonName);
        if (chain == ChainVerdict.Trusted)
            builder.AddOrganizationName("Good CA");
        var subject = builder.Build();
        var request = key is RSA rsaKey
            ? new CertificateRequest(subject, rsaKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(AlternativeNames(names));
        using var certificate = request.CreateSelfSigned(from, from.AddDays(days));
        return new PresentedCertificate(
            ServerCertificate.TryParse(certificate.RawData)!, [], chain, chain == ChainVerdict.Trusted ? null : "self-signed certificate", "TLSv1.3", "TLS_AES_256_GCM_SHA384");
    }

    // By hand: the builder of the framework takes no name that is none.
    private static X509Extension AlternativeNames(IReadOnlyList<string> names)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var name in names)
                writer.WriteCharacterString(UniversalTagNumber.IA5String, name, new Asn1Tag(TagClass.ContextSpecific, 2)); // RFC 5280 section 4.2.1.6
        }

        return new X509Extension("2.5.29.17", writer.Encode(), critical: false);
    }
}
