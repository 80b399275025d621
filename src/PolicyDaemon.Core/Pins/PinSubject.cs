namespace PolicyDaemon.Core.Pins;

/// <summary>What a fingerprint was taken of.</summary>
public enum PinSubject
{
    /// <summary>Typed by a person; a probe that sees the server finds out.</summary>
    Unknown,

    /// <summary>The whole DER certificate.</summary>
    Certificate,

    /// <summary>The DER SubjectPublicKeyInfo; survives a renewal with the same key.</summary>
    PublicKey,
}
