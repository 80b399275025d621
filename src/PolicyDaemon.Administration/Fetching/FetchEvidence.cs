using System.Text.Json;
using System.Text.Json.Serialization;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Administration.Fetching;

/// <summary>The evidence in the audit log of fetched pins that a person accepted.</summary>
/// <param name="At">When DNS and servers were asked.</param>
/// <param name="MxDnssec">The DNSSEC status of the MX records.</param>
/// <param name="Accepted">The pins that were accepted.</param>
/// <param name="Seen">The certificates that were presented.</param>
internal sealed record FetchEvidence(
    DateTimeOffset At, string MxDnssec, IReadOnlyList<AcceptedPinEvidence> Accepted, IReadOnlyList<CertificateEvidence> Seen)
{
    internal static string Json(ProbedDestination probed, IReadOnlyList<AcceptedPin> accepted, DigestAlgorithm digest) => JsonSerializer.Serialize(
        new FetchEvidence(
            probed.Resolution.At,
            probed.Resolution.MxDnssec.Name(),
            [.. accepted.Select(pin => new AcceptedPinEvidence(pin.Fingerprint.Hex, pin.Subject.Name(), pin.Strength?.Name(), pin.Replaces?.Hex))],
            [
                .. probed.Addresses.SelectMany(address => address.Observation.Certificates.Select(presented => new CertificateEvidence(
                    address.Host.Name, address.Observation.Target.Address.ToString(), address.Observation.Target.Port, presented.Certificate.Digest(PinSubject.PublicKey, digest).Hex,
                    presented.Certificate.Digest(PinSubject.Certificate, digest).Hex, presented.Chain.Name(),
                    address.State.DaneOf(presented.Certificate.Algorithm).Name()))),
            ]),
        FetchEvidenceJson.Default.FetchEvidence);
}

/// <summary>A pin that was accepted.</summary>
/// <param name="Fingerprint">The fingerprint, lower-case hexadecimal.</param>
/// <param name="Subject"><c>certificate</c> or <c>public-key</c>.</param>
/// <param name="Strength">The evidence on which the pin is trusted.</param>
/// <param name="Replaces">The pin in another digest that it carries over; null: none.</param>
internal sealed record AcceptedPinEvidence(string Fingerprint, string Subject, string? Strength, string? Replaces);

/// <summary>A certificate that was presented.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Port">The port.</param>
/// <param name="PublicKeyFingerprint">The fingerprint of the public key, in the digest that Postfix compares.</param>
/// <param name="CertificateFingerprint">The fingerprint of the whole certificate, in the same digest.</param>
/// <param name="Chain"><c>trusted</c>, <c>expired</c> or <c>not-trusted</c>.</param>
/// <param name="Dane">The verdict of the TLSA records over the certificate.</param>
internal sealed record CertificateEvidence(
    string MxHost, string Address, int Port, string PublicKeyFingerprint, string CertificateFingerprint, string Chain, string Dane);

/// <summary>The serializer of the evidence: JSON in one line, as the audit log keeps it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(FetchEvidence))]
internal sealed partial class FetchEvidenceJson : JsonSerializerContext;
