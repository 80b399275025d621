namespace PolicyDaemon.Core.Observations;

/// <summary>The kind of a certificate's public key. A server may hold a certificate of each, and a client sees one of them.</summary>
public enum KeyAlgorithm
{
    Rsa,
    Ecdsa,
    EdDsa,
    Other,
}
