using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>An authority that issues certificates: a root, or one below it.</summary>
/// <param name="Certificate">Its own certificate.</param>
/// <param name="Key">Its key.</param>
/// <param name="Padding">How its signatures are padded, where the key is RSA.</param>
internal sealed record Authority(X509Certificate2 Certificate, AsymmetricAlgorithm Key, RSASignaturePadding Padding)
{
    public bool IsRoot => Certificate.SubjectName.RawData.AsSpan().SequenceEqual(Certificate.IssuerName.RawData);

    public ReadOnlySpan<byte> PublicKey => Certificate.PublicKey.ExportSubjectPublicKeyInfo();
}
