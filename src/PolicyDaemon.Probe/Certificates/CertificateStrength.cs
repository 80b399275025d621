using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.Probe.Certificates;

/// <summary>What OpenSSL does not take at its security level 1, which Postfix sets where it authenticates, and .NET does (x509_vfy.c, check_auth_level).</summary>
/// <remarks>80 bits: no RSA key below 1024 bits in the chain, and no signature with SHA-1 or MD5 but the anchor's own, which nobody checks.</remarks>
internal static class CertificateStrength
{
    private const int SmallestRsa = 1024;

    private static readonly string[] WeakSignatures =
    [
        "1.2.840.113549.1.1.5", // sha1WithRSAEncryption
        "1.2.840.113549.1.1.4", // md5WithRSAEncryption
        "1.2.840.113549.1.1.2", // md2WithRSAEncryption
        "1.2.840.10045.4.1", // ecdsa-with-SHA1
        "1.2.840.10040.4.3", // id-dsa-with-sha1
        "1.3.14.3.2.29", // sha1WithRSA, the old name
    ];

    /// <param name="chain">A chain that was built.</param>
    /// <param name="anchor">Where in it the anchor is; one more than the last element: above it.</param>
    /// <returns>What is too weak; null where nothing is.</returns>
    public static string? Problem(X509Chain chain, int anchor)
    {
        for (var depth = 0; depth < chain.ChainElements.Count && depth <= anchor; depth++)
        {
            var certificate = chain.ChainElements[depth].Certificate;
            using var key = certificate.PublicKey.GetRSAPublicKey();
            if (key?.KeySize < SmallestRsa)
                return $"an RSA key of {key.KeySize} bits is too weak";
            if (depth < anchor && WeakSignatures.Contains(certificate.SignatureAlgorithm.Value))
                return $"a signature with {certificate.SignatureAlgorithm.FriendlyName ?? certificate.SignatureAlgorithm.Value} is too weak";
        }

        return null;
    }
}
