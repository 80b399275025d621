using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>A server's certificate with its key and what the server sends behind it.</summary>
internal sealed class ServedCertificate(ServerKey key, X509Certificate2 leaf, IReadOnlyList<X509Certificate2> sent)
{
    public X509Certificate2 Leaf => leaf;

    /// <summary>Key and chain in one file.</summary>
    public string Pem
    {
        get
        {
            var text = new StringBuilder(key.Pem.TrimEnd()).Append('\n').Append(leaf.ExportCertificatePem()).Append('\n');
            foreach (var certificate in sent) text.Append(certificate.ExportCertificatePem()).Append('\n');
            return text.ToString();
        }
    }

    /// <summary>SHA-256 of the public key in lower-case hex, which Postfix takes as a pin.</summary>
    public string Pin => Convert.ToHexStringLower(SHA256.HashData(PublicKey));

    private byte[] PublicKey => leaf.PublicKey.ExportSubjectPublicKeyInfo();

    /// <summary>The data of a TLSA record for the server's certificate.</summary>
    public string Tlsa(int usage, int selector, int matchingType) => Tlsa(leaf, usage, selector, matchingType);

    /// <summary>The data of a TLSA record for any certificate.</summary>
    public static string Tlsa(X509Certificate2 certificate, int usage, int selector, int matchingType)
    {
        var subject = selector == 0 ? certificate.RawData : certificate.PublicKey.ExportSubjectPublicKeyInfo();
        var data = matchingType switch { 1 => SHA256.HashData(subject), 2 => SHA512.HashData(subject), _ => subject };
        return $"{usage} {selector} {matchingType} {Convert.ToHexStringLower(data)}";
    }
}
