using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>Signs with SHA-1 or MD5, as old certificates are; .NET's own generators know no digest below SHA-256.</summary>
internal sealed class OldSignature(RSA key) : X509SignatureGenerator
{
    // AlgorithmIdentifier: sha1WithRSAEncryption and md5WithRSAEncryption (RFC 8017 appendix A.2.4), parameters NULL.
    private static readonly byte[] Sha1WithRsa = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00];
    private static readonly byte[] Md5WithRsa = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04, 0x05, 0x00];

    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) =>
        hashAlgorithm == HashAlgorithmName.MD5 ? Md5WithRsa : Sha1WithRsa;

    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "The point of it.")]
    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) =>
        key.SignData(data, hashAlgorithm, RSASignaturePadding.Pkcs1);

    protected override PublicKey BuildPublicKey() => new(key);
}
