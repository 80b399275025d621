namespace PolicyDaemon.Core.Pins;

/// <summary>A digest algorithm that Postfix can compare fingerprints in. See postconf(5), smtp_tls_fingerprint_digest.</summary>
public enum DigestAlgorithm
{
    Md5,
    Sha1,
    Sha256,
    Sha512,
}
