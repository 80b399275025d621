using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Observations;

/// <summary>What one probe of one target saw: the stored fact that every verdict and every change of a pin rests on.</summary>
/// <remarks>
/// <para>The terms of this folder. DNS leads from a destination to its MX hosts and their addresses (<see cref="MxResolution"/>; RFC 5321
/// section 5.1, RFC 7672 section 2.2). A <em>target</em> is an address with its port and the SNI name that is sent; destinations behind
/// one MX host share it and its probes. A <em>probe</em> is the act, an <em>observation</em> what is stored of it, the <em>outcome</em>
/// its class, named after the result types of RFC 8460 where one fits. The <em>history</em> of a target puts its observations together:
/// for each key algorithm the <em>runs</em> of probes, one after the other, that saw the same certificate.</para>
/// <para>Only a conclusive outcome says something about the server: a certificate was seen, or STARTTLS was not offered. After a
/// timeout, a 4xx or a failed lookup of our own everything stays as it was.</para>
/// </remarks>
public sealed record Observation
{
    public required ProbeTarget Target { get; init; }

    /// <summary>When the probe ended, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    public required ProbeOutcome Outcome { get; init; }

    /// <summary>
    /// What mail meets where the outcome is <see cref="ProbeOutcome.PlaintextInjected"/>, an alarm that is no obstacle to it: how the dialogue
    /// went on; null where that is not known.
    /// </summary>
    public ProbeOutcome? Met { get; init; }

    /// <summary>The stage that the probe reached, or failed in.</summary>
    public required ProbeStage Stage { get; init; }

    /// <summary>The text of the server's reply or of the system's error, escaped and cut.</summary>
    public string? Detail { get; init; }

    /// <summary>The reply code of an SMTP refusal.</summary>
    public int? ReplyCode { get; init; }

    /// <summary>
    /// How EHLO over TLS ended: <see cref="ProbeOutcome.Secured"/> where mail could have gone on, or the dialogue did not come so far.
    /// What happens after the handshake says nothing about keys, and all the same no mail goes through.
    /// </summary>
    public ProbeOutcome AfterHandshake { get; init; } = ProbeOutcome.Secured;

    /// <summary>The certificates presented, at most one of each key algorithm; the first is the one an ordinary client gets.</summary>
    public ImmutableArray<PresentedCertificate> Certificates { get; init; } = [];

    /// <summary>A second connection asked for a certificate of the other key algorithm, whatever came of it.</summary>
    public bool AskedBothAlgorithms { get; init; }

    /// <summary>Key algorithms that were asked for in a handshake of their own and of which the server has no certificate.</summary>
    public ImmutableArray<KeyAlgorithm> Absent { get; init; } = [];

    /// <summary>Whether the server speaks TLS 1.2; null where that was not tried, as newer versions are negotiated first.</summary>
    public bool? SpeaksTls12 { get; init; }

    public ImmutableArray<StageTiming> Timings { get; init; } = [];

    /// <summary>The dialogue in the clear and the EHLO reply over TLS, escaped, one line each with <c>S:</c> or <c>C:</c>.</summary>
    public ImmutableArray<string> Transcript { get; init; } = [];
}

/// <summary>What the last probe of a target met beyond its outcome, as far as it decides about mail.</summary>
/// <param name="Stage">The stage that it reached, or failed in.</param>
/// <param name="ReplyCode">Of an SMTP refusal.</param>
/// <param name="AfterHandshake">How EHLO over TLS ended, as in <see cref="Observation.AfterHandshake"/>.</param>
/// <param name="Negotiated">The key algorithm of the certificate that an ordinary client gets; null where none was shown.</param>
/// <param name="TlsVersion">Such as <c>TLSv1.3</c>; null where no handshake showed one.</param>
public sealed record LastDialogue(ProbeStage Stage, int? ReplyCode, ProbeOutcome AfterHandshake, KeyAlgorithm? Negotiated, string? TlsVersion)
{
    /// <summary>Whether the server speaks TLS 1.2, as the last probe found that tried; null where none did.</summary>
    public bool? SpeaksTls12 { get; init; }

    /// <summary>What mail meets behind injected text, as in <see cref="Observation.Met"/>; null where there was none.</summary>
    public ProbeOutcome? BehindInjection { get; init; }

    public static LastDialogue Of(Observation observation)
    {
        ArgumentNullException.ThrowIfNull(observation);
        var first = observation.Certificates is [var shown, ..] ? shown : null;
        return new LastDialogue(
            observation.Stage, observation.ReplyCode, observation.AfterHandshake, first?.Certificate.Algorithm,
            first?.TlsVersion is { Length: > 0 } version ? version : null) 
        {
            SpeaksTls12 = observation.SpeaksTls12,
            BehindInjection = observation.Outcome == ProbeOutcome.PlaintextInjected ? observation.Met : null,
        };
    }
}

/// <summary>How far the dialogue with a server went, in its order.</summary>
public enum ProbeStage
{
    /// <summary>The TCP connection.</summary>
    Connect,

    /// <summary>The server's 220.</summary>
    Greeting,

    /// <summary>EHLO in the clear.</summary>
    Ehlo,

    /// <summary>The STARTTLS command and its 220.</summary>
    StartTls,

    /// <summary>The TLS handshake.</summary>
    Handshake,

    /// <summary>EHLO over TLS.</summary>
    SecureEhlo,

    /// <summary>QUIT.</summary>
    Quit,
}

/// <summary>The stored names of stages.</summary>
public static class ProbeStages
{
    private static readonly StoredNames<ProbeStage> Stored = new(
        (ProbeStage.Connect, "connect"), (ProbeStage.Greeting, "greeting"), (ProbeStage.Ehlo, "ehlo"), (ProbeStage.StartTls, "starttls"),
        (ProbeStage.Handshake, "handshake"), (ProbeStage.SecureEhlo, "secure-ehlo"), (ProbeStage.Quit, "quit"));

    public static string Name(this ProbeStage value) => Stored.Of(value);

    public static bool TryParse([NotNullWhen(true)] string? name, out ProbeStage value) => Stored.TryParse(name, out value);
}

/// <summary>How long a stage of the dialogue took.</summary>
public readonly record struct StageTiming(ProbeStage Stage, TimeSpan Elapsed);

/// <summary>Probes one target: connects, speaks SMTP up to STARTTLS, finishes the handshake and records what was presented.</summary>
public interface IServerProbe
{
    /// <summary>A failure is an <see cref="Observation.Outcome"/>; only the caller's cancellation throws.</summary>
    /// <param name="target">What to connect to.</param>
    /// <param name="bothAlgorithms">Also ask, in a connection of its own, for a certificate of the other key algorithm.</param>
    Task<Observation> ProbeAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation);
}
