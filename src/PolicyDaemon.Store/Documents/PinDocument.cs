namespace PolicyDaemon.Store.Documents;

/// <summary>A pin as JSON.</summary>
internal sealed record PinDocument(string Fingerprint, string Subject, string State, string Strength, long Since);
