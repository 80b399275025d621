using System.Text.Json.Serialization;
using PolicyDaemon.Cli.Fetching;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Output.Json;

/// <summary>What pins that a person accepted rest on: the evidence in the audit log.</summary>
/// <param name="At">When it was seen.</param>
/// <param name="MxDnssec">Of the MX records.</param>
/// <param name="Accepted">The pins.</param>
/// <param name="Seen">What was presented.</param>
internal sealed record FetchedKeyJson(DateTimeOffset At, string MxDnssec, IReadOnlyList<AcceptedPinJson> Accepted, IReadOnlyList<FetchedCertificateJson> Seen)
{
    internal static FetchedKeyJson From(ProbedDestination visit, IReadOnlyList<AcceptedPin> accepted, DigestAlgorithm digest) => new(
        visit.Resolution.At,
        visit.Resolution.MxDnssec.Name(),
        [.. accepted.Select(pin => new AcceptedPinJson(pin.Fingerprint.Hex, pin.Subject.Name(), pin.Strength.Name(), pin.Replaces?.Hex))],
        [
            .. visit.Addresses.SelectMany(address => address.Seen.Certificates.Select(presented => new FetchedCertificateJson(
                address.Host.Name, address.Seen.Target.Id, presented.Certificate.Digest(PinSubject.PublicKey, digest).Hex,
                presented.Certificate.Digest(PinSubject.Certificate, digest).Hex, presented.Chain.Name(),
                address.Watched.DaneOf(presented.Certificate.Algorithm).Name()))),
        ]);
}

/// <summary>A pin that was accepted.</summary>
/// <param name="Fingerprint">Lower-case hexadecimal.</param>
/// <param name="Subject"><c>certificate</c> or <c>public-key</c>.</param>
/// <param name="Strength">On what it is trusted.</param>
/// <param name="Replaces">The pin in another digest that it carries over; null: none.</param>
internal sealed record AcceptedPinJson(string Fingerprint, string Subject, string Strength, string? Replaces);

/// <summary>A certificate that was presented.</summary>
/// <param name="Mx">The MX host.</param>
/// <param name="Target">Its address and port.</param>
/// <param name="PublicKey">Fingerprint in the digest that Postfix compares.</param>
/// <param name="Certificate">In the same.</param>
/// <param name="Chain"><c>trusted</c>, <c>expired</c> or <c>not-trusted</c>.</param>
/// <param name="Dane">What the TLSA records say.</param>
internal sealed record FetchedCertificateJson(string Mx, string Target, string PublicKey, string Certificate, string Chain, string Dane);

/// <summary>One line, as the audit log keeps it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(FetchedKeyJson))]
internal sealed partial class FetchedEvidenceJson : JsonSerializerContext;
