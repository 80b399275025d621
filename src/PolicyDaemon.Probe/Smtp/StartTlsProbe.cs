using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>Probes one target as Postfix would deliver to it, and returns the observation. Every failure is an outcome, not an exception.</summary>
/// <remarks>
/// A first connection as Postfix makes it; then, where the server is well, a second up to TLS 1.2 that asks for the other key
/// algorithm first, since a server may hold an RSA and an ECDSA certificate and different clients see different ones, and a third where
/// that one's refusal says too little; or, where the first was told that nothing fits, a second without certificates, which Postfix takes
/// where it does not authenticate. The connections follow each other: never more than one at a time to an address.
/// </remarks>
public sealed class StartTlsProbe : IServerProbe
{
    private const int HandshakeFailure = 40; // RFC 8446 section 6.2: no acceptable set of parameters
    private const int ProtocolVersion = 70; // RFC 8446 section 6.2: the version is not supported

    private readonly ProbeOptions options;
    private readonly TimeProvider time;
    private readonly Dialogue dialogue;

    public StartTlsProbe(ProbeOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.options = options;
        this.time = time;
        dialogue = new Dialogue(options, time);
    }

    /// <inheritdoc/>
    public async Task<Observation> ProbeAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (!options.PrivateAddresses && !AddressRules.IsPublic(target.Address))
        {
            return new Observation
            {
                Target = target,
                At = time.GetUtcNow(),
                Outcome = ProbeOutcome.AddressNotAllowed,
                Stage = ProbeStage.Connect,
                Detail = $"{target.Address} is a loopback, private or link-local address; allow those with private_addresses = yes in [probe]",
            };
        }

        var first = await dialogue.RunAsync(target, options.SpeaksTls13 ? TlsOffer.Postfix : TlsOffer.WithoutTls13, cancellation);
        if (first is { Outcome: ProbeOutcome.HandshakeFailed, Alert: HandshakeFailure })
        {
            var second = await dialogue.RunAsync(target, TlsOffer.WithoutCertificate, cancellation);
            if (second.Outcome == ProbeOutcome.TlsAnonymous)
                first = second;
        }

        var observation = new Observation
        {
            Target = target,
            At = time.GetUtcNow(),
            Outcome = first.Outcome,
            Met = first.Met,
            Stage = first.Stage,
            Detail = first.Detail,
            ReplyCode = first.ReplyCode,
            AfterHandshake = first.AfterHandshake,
            SpeaksTls12 = first.Presented?.TlsVersion == "TLSv1.2" ? true : null,
            Certificates = first.Presented is { } presented ? [presented] : [],
            Timings = first.Timings,
            Transcript = first.Transcript,
        };
        return bothAlgorithms && first is { Outcome: ProbeOutcome.Secured, Presented: not null }
            ? await WithOtherAlgorithmAsync(observation, cancellation)
            : observation;
    }

    /// <summary>True where the server speaks TLS 1.2, by a handshake in that version; null where that told nothing.</summary>
    private static bool? OfTls12(DialogueResult result) => result switch
    {
        { Presented.TlsVersion: "TLSv1" or "TLSv1.1" } => false,
        { Presented: not null } or { Outcome: ProbeOutcome.HandshakeFailed, Alert: HandshakeFailure } => true,
        { Outcome: ProbeOutcome.HandshakeFailed, Alert: ProtocolVersion } => false,
        _ => null,
    };

    private async Task<Observation> WithOtherAlgorithmAsync(Observation observation, CancellationToken cancellation)
    {
        var other = observation.Certificates[0].Certificate.Algorithm switch
        {
            KeyAlgorithm.Rsa => KeyAlgorithm.Ecdsa,
            KeyAlgorithm.Ecdsa => KeyAlgorithm.Rsa,
            _ => KeyAlgorithm.Other,
        };
        if (other == KeyAlgorithm.Other)
            return observation;
        var second = await dialogue.RunAsync(observation.Target, TlsOffer.Rather(other), cancellation);
        // "Nothing fits" is what GnuTLS also says where it speaks TLS 1.3 only. Postfix's whole offer up to TLS 1.2 tells one from the other.
        if (observation.Certificates[0].TlsVersion == "TLSv1.3" && second is { Outcome: ProbeOutcome.HandshakeFailed, Alert: HandshakeFailure })
        {
            second = await dialogue.RunAsync(observation.Target, TlsOffer.WithoutTls13, cancellation);
            if (second is { Outcome: ProbeOutcome.HandshakeFailed, Alert: HandshakeFailure })
                second = second with { Alert = ProtocolVersion };
        }

        observation = observation with { At = time.GetUtcNow(), AskedBothAlgorithms = true, SpeaksTls12 = observation.SpeaksTls12 ?? OfTls12(second) };
        // Of TLS 1.0 and 1.1 Postfix takes no certificate, but their certificate is the server's.
        return second switch
        {
            { Outcome: ProbeOutcome.Secured or ProbeOutcome.TlsTooOld, Presented: { } presented } when presented.Certificate.Algorithm == other =>
                observation with { Certificates = observation.Certificates.Add(presented) },
            // It had the choice, or says itself that nothing fits; a timeout or a version alert (TLS 1.3 only) says nothing.
            { Outcome: ProbeOutcome.Secured or ProbeOutcome.TlsTooOld, Presented: not null } or { Outcome: ProbeOutcome.HandshakeFailed, Alert: HandshakeFailure } =>
                observation with { Absent = [other] },
            _ => observation,
        };
    }
}
