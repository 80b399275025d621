using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Observations;

/// <summary>The certificate a server presented for itself: what pins are compared with.</summary>
/// <remarks>The DER is kept, so that another digest can be served later without a new probe.</remarks>
public sealed class ServerCertificate : IEquatable<ServerCertificate>
{
    // Far above anything a mail server needs; a certificate is a peer's choice, so counts have an end.
    private const int MaxNames = 1000;

    private const string CommonName = "2.5.4.3"; // RFC 4519 section 2.3
    private const string OrganisationName = "2.5.4.10"; // RFC 4519 section 2.19

    // What a wildcard stands for.
    private static readonly SearchValues<char> LabelCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    private readonly ImmutableArray<Fingerprint> certificateDigests;
    private readonly ImmutableArray<Fingerprint> publicKeyDigests;

    public ServerCertificate(
        ImmutableArray<byte> der, ImmutableArray<byte> publicKey, KeyAlgorithm algorithm, int keyBits,
        DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        Der = der;
        PublicKey = publicKey;
        Algorithm = algorithm;
        KeyBits = keyBits;
        NotBefore = notBefore;
        NotAfter = notAfter;
        certificateDigests = [.. AllDigests.Select(digest => Fingerprint.Compute(digest, der.AsSpan()))];
        publicKeyDigests = [.. AllDigests.Select(digest => Fingerprint.Compute(digest, publicKey.AsSpan()))];
    }

    private static readonly ImmutableArray<DigestAlgorithm> AllDigests =
        [DigestAlgorithm.Md5, DigestAlgorithm.Sha1, DigestAlgorithm.Sha256, DigestAlgorithm.Sha512];

    /// <summary>The whole certificate.</summary>
    public ImmutableArray<byte> Der { get; }

    /// <summary>The SubjectPublicKeyInfo, DER.</summary>
    public ImmutableArray<byte> PublicKey { get; }

    public KeyAlgorithm Algorithm { get; }

    /// <summary>The size of the modulus or of the curve; 0 where it cannot be told.</summary>
    public int KeyBits { get; }

    public DateTimeOffset NotBefore { get; }

    public DateTimeOffset NotAfter { get; }

    /// <summary>X.500 name, for people.</summary>
    public string Subject { get; init; } = "";

    /// <summary>X.500 name, for people.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>The organisation in the issuer's name; empty where it has none.</summary>
    public string IssuerOrganisation { get; init; } = "";

    /// <summary>The algorithm that it is signed with, such as <c>sha256ECDSA</c>; empty where that is not known.</summary>
    public string SignatureAlgorithm { get; init; } = "";

    /// <summary>The names the certificate is for, lower case: subjectAltName dNSName, or the common name where it has none.</summary>
    public ImmutableArray<string> Names { get; init; } = [];

    /// <summary>The addresses the certificate is for: subjectAltName iPAddress.</summary>
    public ImmutableArray<IPAddress> Addresses { get; init; } = [];

    /// <summary>The certificate's name in the store: SHA-256 of the DER.</summary>
    public Fingerprint Id => Digest(PinSubject.Certificate, DigestAlgorithm.Sha256);

    /// <summary>SHA-256 of the public key.</summary>
    public Fingerprint KeyId => Digest(PinSubject.PublicKey, DigestAlgorithm.Sha256);

    public Fingerprint Digest(PinSubject subject, DigestAlgorithm algorithm) =>
        (subject == PinSubject.Certificate ? certificateDigests : publicKeyDigests)[(int)algorithm];

    /// <summary>True where Postfix would accept this server by this pin: it compares both digests (postfix: tls/tls_dane.c).</summary>
    public bool Matches(Fingerprint pin) => Matches(pin, out _);

    public bool Matches(Fingerprint pin, out PinSubject subject)
    {
        subject = PinSubject.PublicKey;
        if (publicKeyDigests.Contains(pin))
            return true;
        subject = certificateDigests.Contains(pin) ? PinSubject.Certificate : PinSubject.Unknown;
        return subject == PinSubject.Certificate;
    }

    /// <summary>True where the certificate is for this host: a name, or a wildcard for exactly one leftmost label (RFC 9525 section 6.3).</summary>
    /// <remarks>As OpenSSL has it (crypto/x509/v3_utl.c): no wildcard right below a top-level domain, and none for a part of a label.</remarks>
    public bool Covers(string host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var dot = host.IndexOf('.', StringComparison.Ordinal);
        foreach (var name in Names)
        {
            if (string.Equals(name, host, StringComparison.OrdinalIgnoreCase))
                return true;
            if (dot > 0 && name.StartsWith("*.", StringComparison.Ordinal) && name.AsSpan(2).Contains('.')
                && name.AsSpan(1).Equals(host.AsSpan(dot), StringComparison.OrdinalIgnoreCase)
                && !host.AsSpan(0, dot).ContainsAnyExcept(LabelCharacters))
                return true;
        }

        return false;
    }

    /// <summary>Security strength in bits (NIST SP 800-57 part 1, table 2); 0 where it cannot be told.</summary>
    public int StrengthBits => Algorithm switch
    {
        KeyAlgorithm.Rsa => KeyBits switch { >= 15360 => 256, >= 7680 => 192, >= 3072 => 128, >= 2048 => 112, >= 1024 => 80, _ => 0 },
        KeyAlgorithm.Ecdsa => KeyBits switch { >= 512 => 256, >= 384 => 192, >= 256 => 128, >= 224 => 112, >= 160 => 80, _ => 0 },
        KeyAlgorithm.EdDsa => KeyBits >= 448 ? 192 : 128,
        _ => 0,
    };

    public bool Equals(ServerCertificate? other) => other is not null && Der.AsSpan().SequenceEqual(other.Der.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as ServerCertificate);

    public override int GetHashCode() => certificateDigests[(int)DigestAlgorithm.Sha256].GetHashCode();

    /// <summary>Reads a DER certificate.</summary>
    /// <returns>Null where the octets are no certificate.</returns>
    public static ServerCertificate? TryParse(ReadOnlySpan<byte> der)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            var (algorithm, bits) = KeyOf(certificate);
            return new ServerCertificate(
                [.. certificate.RawData], [.. certificate.PublicKey.ExportSubjectPublicKeyInfo()], algorithm, bits,
                new DateTimeOffset(certificate.NotBefore.ToUniversalTime()), new DateTimeOffset(certificate.NotAfter.ToUniversalTime()))
            {
                Subject = certificate.Subject,
                Issuer = certificate.Issuer,
                IssuerOrganisation = Values(certificate.IssuerName, OrganisationName).FirstOrDefault() ?? "",
                SignatureAlgorithm = certificate.SignatureAlgorithm.FriendlyName ?? certificate.SignatureAlgorithm.Value ?? "",
                Names = NamesOf(certificate),
                Addresses =
                [
                    .. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
                        .SelectMany(extension => extension.EnumerateIPAddresses()).Take(MaxNames),
                ],
            };
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static (KeyAlgorithm Algorithm, int Bits) KeyOf(X509Certificate2 certificate)
    {
        const string Rsa = "1.2.840.113549.1.1.1", RsaPss = "1.2.840.113549.1.1.10", Ec = "1.2.840.10045.2.1";
        const string Ed25519 = "1.3.101.112", Ed448 = "1.3.101.113"; // RFC 8410 section 3
        switch (certificate.PublicKey.Oid.Value)
        {
            case Rsa or RsaPss:
                using (var key = certificate.GetRSAPublicKey())
                    return (KeyAlgorithm.Rsa, key?.KeySize ?? 0);
            case Ec:
                using (var key = certificate.GetECDsaPublicKey())
                    return (KeyAlgorithm.Ecdsa, key?.KeySize ?? 0);
            case Ed25519:
                return (KeyAlgorithm.EdDsa, 256);
            case Ed448:
                return (KeyAlgorithm.EdDsa, 456);
            default:
                return (KeyAlgorithm.Other, 0);
        }
    }

    private static ImmutableArray<string> NamesOf(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(extension => extension.EnumerateDnsNames())
            .Take(MaxNames)
            .Select(name => name.ToLowerInvariant())
            .ToImmutableArray();
        if (!names.IsEmpty)
            return names;
        // OpenSSL, and so Postfix, takes the common names, all of them, only where there is no dNSName.
        return [.. Values(certificate.SubjectName, CommonName).Take(MaxNames).Select(name => name.ToLowerInvariant())];
    }

    private static IEnumerable<string> Values(X500DistinguishedName name, string type) => name.EnumerateRelativeDistinguishedNames(reversed: false)
        .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == type)
        .Select(part => part.GetSingleElementValue())
        .OfType<string>().Where(value => value.Length > 0);
}

/// <summary>The kind of a certificate's public key. A server may hold a certificate of each, and a client sees one of them.</summary>
public enum KeyAlgorithm
{
    Rsa,
    Ecdsa,
    EdDsa,
    Other,
}

/// <summary>The stored names of key algorithms.</summary>
public static class KeyAlgorithms
{
    private static readonly StoredNames<KeyAlgorithm> Stored = new(
        (KeyAlgorithm.Rsa, "rsa"), (KeyAlgorithm.Ecdsa, "ecdsa"), (KeyAlgorithm.EdDsa, "eddsa"), (KeyAlgorithm.Other, "other"));

    public static string Name(this KeyAlgorithm value) => Stored.Of(value);

    public static bool TryParse([NotNullWhen(true)] string? name, out KeyAlgorithm value) => Stored.TryParse(name, out value);
}
