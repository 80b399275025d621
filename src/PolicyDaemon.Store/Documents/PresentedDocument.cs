namespace PolicyDaemon.Store.Documents;

/// <summary>A certificate as one handshake showed it, as JSON; the certificate itself is in key_material, by its SHA-256.</summary>
internal sealed record PresentedDocument(
    string Certificate, string Algorithm, string Chain, string? ChainDetail, string TlsVersion, string Cipher);
