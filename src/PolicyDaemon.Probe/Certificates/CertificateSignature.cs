using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.Probe.Certificates;

/// <summary>Whether a certificate was signed with a bare key, for which there is no certificate to build a chain with.</summary>
/// <remarks>
/// <code>
/// Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }   RFC 5280 section 4.1
/// </code>
/// .NET verifies chains and no single signature. EdDSA, which .NET does not know, is never said to be by a key.
/// </remarks>
internal static class CertificateSignature
{
    /// <param name="certificate">The certificate.</param>
    /// <param name="publicKey">The key's SubjectPublicKeyInfo, DER.</param>
    public static bool IsBy(X509Certificate2 certificate, ReadOnlySpan<byte> publicKey)
    {
        try
        {
            var reader = new AsnReader(certificate.RawDataMemory, AsnEncodingRules.DER).ReadSequence();
            var signed = reader.ReadEncodedValue();
            var algorithm = reader.ReadSequence().ReadObjectIdentifier();
            var signature = reader.ReadBitString(out _);
            return Verifies(PublicKey.CreateFromSubjectPublicKeyInfo(publicKey, out _), algorithm, signed.Span, signature);
        }
        catch (Exception fault) when (fault is AsnContentException or CryptographicException)
        {
            return false;
        }
    }

    private static bool Verifies(PublicKey key, string algorithm, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
    {
        // RFC 8017 appendix A.2.4 and RFC 5758 section 3.2; weaker ones do not count anyway.
        (HashAlgorithmName Digest, bool IsRsa)? known = algorithm switch
        {
            "1.2.840.113549.1.1.11" => (HashAlgorithmName.SHA256, true),
            "1.2.840.113549.1.1.12" => (HashAlgorithmName.SHA384, true),
            "1.2.840.113549.1.1.13" => (HashAlgorithmName.SHA512, true),
            "1.2.840.10045.4.3.2" => (HashAlgorithmName.SHA256, false),
            "1.2.840.10045.4.3.3" => (HashAlgorithmName.SHA384, false),
            "1.2.840.10045.4.3.4" => (HashAlgorithmName.SHA512, false),
            _ => null,
        };
        if (known is not { } method)
            return false;
        if (method.IsRsa)
        {
            using var rsa = key.GetRSAPublicKey();
            return rsa?.VerifyData(signed, signature, method.Digest, RSASignaturePadding.Pkcs1) == true;
        }

        using var ecdsa = key.GetECDsaPublicKey();
        return ecdsa?.VerifyData(signed, signature, method.Digest, DSASignatureFormat.Rfc3279DerSequence) == true;
    }
}
