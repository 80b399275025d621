using System.Text.Json;
using System.Text.Json.Serialization;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Administration.Fetching;

/// <summary>What pins that a person accepted rest on: the evidence in the audit log.</summary>
/// <param name="At">When it was seen.</param>
/// <param name="MxDnssec">Of the MX records.</param>
/// <param name="Accepted">The pins.</param>
/// <param name="Seen">What was presented.</param>
internal sealed record FetchEvidence(
    DateTimeOffset At, string MxDnssec, IReadOnlyList<AcceptedPinEvidence> Accepted, IReadOnlyList<CertificateEvidence> Seen)
{
    internal static string Json(ProbedDestination probed, IReadOnlyList<AcceptedPin> accepted, DigestAlgorithm digest) => JsonSerializer.Serialize(
        new FetchEvidence(
            probed.Resolution.At,
            probed.Resolution.MxDnssec.Name(),
            [.. accepted.Select(pin => new AcceptedPinEvidence(pin.Fingerprint.Hex, pin.Subject.Name(), pin.Strength.Name(), pin.Replaces?.Hex))],
            [
                .. probed.Addresses.SelectMany(address => address.Observation.Certificates.Select(presented => new CertificateEvidence(
                    address.Host.Name, address.Observation.Target.Address.ToString(), address.Observation.Target.Port, presented.Certificate.Digest(PinSubject.PublicKey, digest).Hex,
                    presented.Certificate.Digest(PinSubject.Certificate, digest).Hex, presented.Chain.Name(),
                    address.State.DaneOf(presented.Certificate.Algorithm).Name()))),
            ]),
        FetchEvidenceJson.Default.FetchEvidence);
}

/// <summary>A pin that was accepted.</summary>
/// <param name="Fingerprint">Lower-case hexadecimal.</param>
/// <param name="Subject"><c>certificate</c> or <c>public-key</c>.</param>
/// <param name="Strength">On what it is trusted.</param>
/// <param name="Replaces">The pin in another digest that it carries over; null: none.</param>
internal sealed record AcceptedPinEvidence(string Fingerprint, string Subject, string Strength, string? Replaces);

/// <summary>A certificate that was presented.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Port">The port.</param>
/// <param name="PublicKeyFingerprint">In the digest that Postfix compares.</param>
/// <param name="CertificateFingerprint">Of the whole certificate, in the same.</param>
/// <param name="Chain"><c>trusted</c>, <c>expired</c> or <c>not-trusted</c>.</param>
/// <param name="Dane">What the TLSA records say.</param>
internal sealed record CertificateEvidence(
    string MxHost, string Address, int Port, string PublicKeyFingerprint, string CertificateFingerprint, string Chain, string Dane);

/// <summary>One line, as the audit log keeps it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(FetchEvidence))]
internal sealed partial class FetchEvidenceJson : JsonSerializerContext;
