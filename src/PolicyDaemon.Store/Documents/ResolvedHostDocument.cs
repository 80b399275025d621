namespace PolicyDaemon.Store.Documents;

/// <summary>An MX host as JSON.</summary>
internal sealed record ResolvedHostDocument(
    string Name, int Preference, string[] Addresses, string AddressDnssec, string AddressOutcome, string? TlsaBase, string[]? Tlsa,
    string TlsaDnssec, bool TlsaFailed, string? CanonicalName = null);
