namespace PolicyDaemon.Store.Documents;

/// <summary>A pin's change, as JSON.</summary>
internal sealed record TransitionDocument(string Fingerprint, string? From, string To, string Strength, string Rule, string Reason);
