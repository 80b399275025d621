namespace PolicyDaemon.Store.Probing;

/// <summary>A row of probe_state.</summary>
internal sealed record ProbeStateRow(
    long LastProbe, long NextDue, string Verdict, long VerdictSince, string LastOutcome, string? LastDetail, string? Resolution,
    long? ResolvedAt, long? ListedAt, long? SecureSince, bool WasSecure, string? TrustedHosts);
