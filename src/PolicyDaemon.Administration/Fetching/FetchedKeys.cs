using System.Collections.Immutable;
using PolicyDaemon.Administration;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Administration.Fetching;

/// <summary>A public key that was seen, with what speaks for it.</summary>
/// <param name="Pin">Its fingerprint in the digest that Postfix compares.</param>
/// <param name="Evidence"><see cref="PinStrength.Dane"/>, <see cref="PinStrength.WebPki"/>, or null for none.</param>
/// <param name="Why">The evidence, or what is missing, as a sentence.</param>
/// <param name="Certificate">The first certificate with it.</param>
/// <param name="At">Where it was presented.</param>
public sealed record FetchedKey(
    Fingerprint Pin, PinStrength? Evidence, string Why, ServerCertificate Certificate, ImmutableArray<ProbedAddress> At)
{
    /// <summary>Every certificate with this key.</summary>
    public IEnumerable<ServerCertificate> Certificates => At
        .SelectMany(address => address.Seen.Certificates)
        .Select(presented => presented.Certificate)
        .Where(certificate => certificate.KeyId == Certificate.KeyId)
        .Distinct();

    /// <summary><c>mx.example [192.0.2.1]</c> for each address that presented it.</summary>
    public string Where => string.Join(", ", At.Select(address => $"{address.Host.Name} [{address.Seen.Target.Address}]"));
}

/// <summary>The keys of a probe, each with its evidence: what every place that presented it has in common.</summary>
internal static class FetchedKeys
{
    private const int MinimumStrengthBits = 112; // NIST SP 800-57 part 1: nothing below is acceptable since 2014

    internal static IReadOnlyList<FetchedKey> Of(ProbedDestination probed, DigestAlgorithm digest) =>
    [
        .. probed.Addresses
            .SelectMany(address => address.Seen.Certificates.Select(presented => (Address: address, Presented: presented)))
            .GroupBy(place => place.Presented.Certificate.KeyId)
            .Select(places =>
            {
                var (evidence, why) = Judge(probed.Resolution, [.. places]);
                var certificate = places.First().Presented.Certificate;
                return new FetchedKey(
                    certificate.Digest(PinSubject.PublicKey, digest), evidence, why, certificate, [.. places.Select(place => place.Address).Distinct()]);
            }),
    ];

    private static (PinStrength? Evidence, string Why) Judge(
        MxResolution resolution, IReadOnlyList<(ProbedAddress Address, PresentedCertificate Presented)> places)
    {
        if (places.FirstOrDefault(place => place.Presented.Certificate.StrengthBits < MinimumStrengthBits) is { Presented: { } weak })
            return (null, $"none: the key is weak ({Phrases.PublicKey(weak.Certificate)})");
        if (places.Any(place => place.Address.Watched.DaneOf(place.Presented.Certificate.Algorithm) == DaneVerdict.Mismatch))
            return (null, "none, and worse: a DNSSEC-secure TLSA record exists and does not match");
        // Evidence A of the pin life cycle: MX, addresses and TLSA secure, from a trusted resolver.
        var nameIsSecure = resolution.MxDnssec == DnssecStatus.Secure || resolution.HostIsGiven;
        if (nameIsSecure && places.All(place => place.Address.Watched.DaneOf(place.Presented.Certificate.Algorithm) == DaneVerdict.Match))
            return (PinStrength.Dane, "dane: a DNSSEC-secure TLSA record matches");
        var isTrusted = places.All(place =>
            place.Presented.Chain == ChainVerdict.Trusted && place.Presented.Certificate.Covers(place.Address.Host.Name));
        if (isTrusted && nameIsSecure)
            return (PinStrength.WebPki, "webpki: a trusted chain, valid for the MX host's name, which is authenticated");
        if (places.Any(place => !place.Address.Host.Tlsa.IsEmpty
            && place.Address.Watched.DaneOf(place.Presented.Certificate.Algorithm) == DaneVerdict.Unjudged))
            return (null, "none: there are TLSA records, but no trusted resolver says that DNSSEC secures them (resolver_trusted)");
        return (null, isTrusted
            ? "none: the chain is trusted, but the MX host's name comes from DNS without DNSSEC"
            : "none: seen for the first time, and nothing says whose it is");
    }
}
