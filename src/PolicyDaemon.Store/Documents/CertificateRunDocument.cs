namespace PolicyDaemon.Store.Documents;

/// <summary>What an address presented last, as JSON.</summary>
internal sealed record CertificateRunDocument(
    string MxHost, string Target, string Algorithm, string Certificate, string PublicKey, long First, long Last, int Probes,
    long? TrustedSince);
