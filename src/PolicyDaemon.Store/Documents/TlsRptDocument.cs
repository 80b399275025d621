namespace PolicyDaemon.Store.Documents;

/// <summary>TLSRPT attributes as JSON, named as Postfix names them.</summary>
internal sealed record TlsRptDocument(
    string PolicyType, string? PolicyDomain, string[]? PolicyString, string[]? MxHostPattern, string? PolicyFailure);
