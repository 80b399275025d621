using System.Collections.Immutable;

namespace PolicyDaemon.Core.Observations;

/// <summary>What one probe of one target saw.</summary>
public sealed record Observation
{
    public required ProbeTarget Target { get; init; }

    /// <summary>When the probe ended, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    public required ProbeOutcome Outcome { get; init; }

    /// <summary>The stage it reached, or failed in.</summary>
    public required ProbeStage Stage { get; init; }

    /// <summary>The server's words or the system's, escaped and cut.</summary>
    public string? Detail { get; init; }

    /// <summary>The reply code of an SMTP refusal.</summary>
    public int? ReplyCode { get; init; }

    /// <summary>
    /// How EHLO over TLS ended: <see cref="ProbeOutcome.Secured"/> where mail could have gone on, or the dialogue did not come so far.
    /// What happens after the handshake says nothing about keys, and all the same no mail goes through.
    /// </summary>
    public ProbeOutcome AfterHandshake { get; init; } = ProbeOutcome.Secured;

    /// <summary>Certificates, at most one of each key algorithm; the first is the one an ordinary client gets.</summary>
    public ImmutableArray<PresentedCertificate> Certificates { get; init; } = [];

    /// <summary>Algorithms asked for in a handshake of their own that the server, reachable, has no certificate of.</summary>
    public ImmutableArray<KeyAlgorithm> Absent { get; init; } = [];

    public ImmutableArray<StageTiming> Timings { get; init; } = [];

    /// <summary>The dialogue in the clear and the EHLO reply over TLS, escaped, one line each with <c>S:</c> or <c>C:</c>.</summary>
    public ImmutableArray<string> Transcript { get; init; } = [];
}
