namespace PolicyDaemon.Store.Documents;

/// <summary>A key that an address presented, as JSON.</summary>
internal sealed record SeenDocument(string MxHost, string Target, string PublicKey, string Certificate, long Since);
