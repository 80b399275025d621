using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>Makes certificates: self-signed, from the laboratory's own CA, renewed, expired, for any names.</summary>
public sealed class LabCertificates
{
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private readonly ECDsa _authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;

    public LabCertificates(Sandbox sandbox)
    {
        var request = new CertificateRequest("CN=Laboratory CA", _authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _authority = request.CreateSelfSigned(_now.AddDays(-400), _now.AddDays(400));
        AuthorityFile = Path.Combine(sandbox.Folder, "ca.pem");
        File.WriteAllText(AuthorityFile, _authority.ExportCertificatePem());
    }

    /// <summary>The CA's certificate, for smtp_tls_CAfile.</summary>
    public string AuthorityFile { get; }

    public static AsymmetricAlgorithm NewKey(KeyKind kind) => kind switch
    {
        KeyKind.Rsa => RSA.Create(2048),
        _ => ECDsa.Create(ECCurve.NamedCurves.nistP256),
    };

    public LabCertificate SelfSigned(string name, KeyKind kind = KeyKind.Ecdsa) => SelfSigned(name, NewKey(kind));

    public LabCertificate Issued(string name, KeyKind kind = KeyKind.Ecdsa) =>
        Issued([name], NewKey(kind), _now.AddDays(-1), _now.AddDays(90));

    /// <summary>A certificate of the CA that ended yesterday.</summary>
    public LabCertificate Expired(string name) => Issued([name], NewKey(KeyKind.Ecdsa), _now.AddDays(-90), _now.AddDays(-1));

    /// <summary>A certificate of the CA for many names.</summary>
    public LabCertificate IssuedForMany(IEnumerable<string> names, KeyKind kind = KeyKind.Ecdsa) => IssuedForMany(names, NewKey(kind));

    /// <summary>The same for a key that is there already.</summary>
    public LabCertificate IssuedForMany(IEnumerable<string> names, AsymmetricAlgorithm key) => Issued(names, key, _now.AddDays(-1), _now.AddDays(90));

    /// <summary>
    /// A certificate whose issuer is not sent with it, and which names a web server for everything there is to download: the issuer,
    /// the revocation list, and the state of the certificate (RFC 5280 sections 4.2.1.13 and 4.2.2.1).
    /// </summary>
    public LabCertificate WithDownloads(string name, string webServer)
    {
        using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issuer = new X500DistinguishedName("CN=Laboratory Intermediate CA");
        var key = NewKey(KeyKind.Ecdsa);
        var request = ServerRequest([name], key);
        request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(
            [$"http://{webServer}/ocsp"], [$"http://{webServer}/issuer.cer"]));
        request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([$"http://{webServer}/list.crl"]));
        var certificate = request.Create(
            issuer, X509SignatureGenerator.CreateForECDsa(issuerKey), _now.AddDays(-1), _now.AddDays(90), Serial());
        return new LabCertificate(key, certificate, null);
    }

    /// <summary>Another self-signed certificate for the same key, as a renewal that keeps the key makes it.</summary>
    public LabCertificate SameKeyAgain(string name, LabCertificate old) => SelfSigned(name, old.Key);

    public LabCertificate Issued(IEnumerable<string> names, AsymmetricAlgorithm key, DateTimeOffset from, DateTimeOffset to)
    {
        var request = ServerRequest([.. names], key);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, true, false));
        var generator = X509SignatureGenerator.CreateForECDsa(_authorityKey);
        return new LabCertificate(key, request.Create(_authority.SubjectName, generator, from, to, Serial()), _authority);
    }

    private LabCertificate SelfSigned(string name, AsymmetricAlgorithm key)
    {
        var request = ServerRequest([name], key);
        var generator = key is RSA rsa
            ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1)
            : X509SignatureGenerator.CreateForECDsa((ECDsa)key);
        return new LabCertificate(key, request.Create(request.SubjectName, generator, _now.AddDays(-1), _now.AddDays(90), Serial()), null);
    }

    private static CertificateRequest ServerRequest(string[] names, AsymmetricAlgorithm key)
    {
        var subject = new X500DistinguishedName("CN=" + names[0]);
        var request = key is RSA rsa
            ? new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        var alternativeNames = new SubjectAlternativeNameBuilder();
        foreach (var name in names) alternativeNames.AddDnsName(name);
        request.CertificateExtensions.Add(alternativeNames.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        return request;
    }

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x01); // RFC 5280 section 4.1.2.2: positive
        return serial;
    }
}
