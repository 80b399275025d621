using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.Tests.Support;

/// <summary>A certification authority of our own, and certificates of any shape.</summary>
internal static class TestCertificates
{
    public static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private static readonly Lazy<X509Certificate2> Authority = new(() =>
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test root", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(Now.AddYears(-5), Now.AddYears(5));
    });

    public static X509Certificate2 Root => Authority.Value;

    /// <summary>A certificate of the test root.</summary>
    public static X509Certificate2 Issued(params string[] names) => Create(names, selfSigned: false);

    public static X509Certificate2 SelfSigned(params string[] names) => Create(names, selfSigned: true);

    public static X509Certificate2 Create(
        string[] names, bool selfSigned, bool rsa = false, DateTimeOffset? notAfter = null, IEnumerable<X509Extension>? extensions = null,
        string[]? alternatives = null, DateTimeOffset? notBefore = null)
    {
        using AsymmetricAlgorithm key = rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedName($"CN={names[0]}");
        var request = key switch
        {
            RSA rsaKey => new CertificateRequest(subject, rsaKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            _ => new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256),
        };
        var alternative = new SubjectAlternativeNameBuilder();
        foreach (var name in alternatives ?? names)
            alternative.AddDnsName(name);
        if (alternatives is not [])
            request.CertificateExtensions.Add(alternative.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        foreach (var extension in extensions ?? [])
            request.CertificateExtensions.Add(extension);

        var from = notBefore ?? Now.AddDays(-100);
        var until = notAfter ?? Now.AddDays(100);
        if (selfSigned)
            return Portable(request.CreateSelfSigned(from, until));
        using var issuerKey = Root.GetECDsaPrivateKey()!;
        using var issued = request.Create(
            Root.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), from, until, RandomNumberGenerator.GetBytes(16));
        return Portable(key is RSA own ? issued.CopyWithPrivateKey(own) : issued.CopyWithPrivateKey((ECDsa)key));
    }

    // Through PKCS#12, so that the key outlives the object it was made with.
    private static X509Certificate2 Portable(X509Certificate2 certificate)
    {
        using (certificate)
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
