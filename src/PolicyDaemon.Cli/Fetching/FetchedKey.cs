using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Fetching;

/// <summary>A public key that was seen, with what speaks for it.</summary>
/// <param name="Pin">Its fingerprint in the digest that Postfix compares.</param>
/// <param name="Evidence"><see cref="PinStrength.Dane"/>, <see cref="PinStrength.WebPki"/>, or null for none.</param>
/// <param name="Why">The evidence, or what is missing, in words.</param>
/// <param name="Certificate">The first certificate with it.</param>
/// <param name="At">Where it was presented.</param>
internal sealed record FetchedKey(
    Fingerprint Pin, PinStrength? Evidence, string Why, ServerCertificate Certificate, ImmutableArray<ProbedAddress> At)
{
    /// <summary>Every certificate with this key.</summary>
    public IEnumerable<ServerCertificate> Certificates => At
        .SelectMany(address => address.Seen.Certificates)
        .Select(presented => presented.Certificate)
        .Where(certificate => certificate.KeyId == Certificate.KeyId)
        .Distinct();
}
