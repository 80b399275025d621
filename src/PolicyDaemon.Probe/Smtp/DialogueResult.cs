using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>One connection's dialogue, classified.</summary>
/// <param name="AfterHandshake">How EHLO over TLS ended; secured where mail could go on, or where it was not reached.</param>
/// <param name="Alert">A TLS alert that came instead of a handshake.</param>
internal sealed record DialogueResult(
    ProbeOutcome Outcome, ProbeStage Stage, string? Detail, int? ReplyCode, ProbeOutcome AfterHandshake, PresentedCertificate? Presented, int? Alert,
    ImmutableArray<StageTiming> Timings, ImmutableArray<string> Transcript);
