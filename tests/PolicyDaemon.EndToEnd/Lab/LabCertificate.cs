using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>A server's certificate with its private key and, where a CA issued it, the CA's certificate.</summary>
public sealed class LabCertificate(AsymmetricAlgorithm key, X509Certificate2 certificate, X509Certificate2? issuer)
{
    private readonly Lazy<SslStreamCertificateContext> _context = new(() =>
        SslStreamCertificateContext.Create(WithKey(certificate, key), issuer is null ? null : [issuer], offline: true));

    internal AsymmetricAlgorithm Key => key;

    /// <summary>Key and chain in the order that smtpd_tls_chain_files wants.</summary>
    public string Pem => KeyPem + ChainPem;

    /// <summary>The private key.</summary>
    public string KeyPem => key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>The certificate and its issuer's.</summary>
    public string ChainPem => $"{certificate.ExportCertificatePem()}\n{issuer?.ExportCertificatePem()}\n";

    /// <summary>For a server in the test itself. Offline: it would download the issuer that a certificate names.</summary>
    internal SslStreamCertificateContext Context => _context.Value;

    /// <summary>SHA-256 of the whole certificate in lower-case hex; TLSA 3 0 1 has the same.</summary>
    public string Fingerprint => DigestOfCertificate(HashAlgorithmName.SHA256);

    /// <summary>SHA-256 of the public key (SubjectPublicKeyInfo) in lower-case hex; TLSA 3 1 1 has the same.</summary>
    public string PublicKeyFingerprint => DigestOfPublicKey(HashAlgorithmName.SHA256);

    public string DigestOfCertificate(HashAlgorithmName digest) => Digest(digest, certificate.RawData);

    public string DigestOfPublicKey(HashAlgorithmName digest) => Digest(digest, certificate.PublicKey.ExportSubjectPublicKeyInfo());

    private static X509Certificate2 WithKey(X509Certificate2 certificate, AsymmetricAlgorithm key) =>
        key is RSA rsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey((ECDsa)key);

    [SuppressMessage("Security", "CA5351:Do Not Use Broken Cryptographic Algorithms", Justification = "Postfix still takes MD5 pins.")]
    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "Old policy tables have SHA-1 pins.")]
    private static string Digest(HashAlgorithmName digest, byte[] data) => Convert.ToHexStringLower(digest.Name switch
    {
        "MD5" => MD5.HashData(data),
        "SHA1" => SHA1.HashData(data),
        "SHA256" => SHA256.HashData(data),
        "SHA512" => SHA512.HashData(data),
        _ => throw new ArgumentOutOfRangeException(nameof(digest), digest, "not a digest of fingerprints"),
    });
}
