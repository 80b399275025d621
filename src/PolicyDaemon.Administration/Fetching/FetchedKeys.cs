using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Administration.Fetching;

/// <summary>A public key that a probe saw, with the evidence for it.</summary>
/// <param name="Pin">The fingerprint of the key, in the digest that Postfix compares.</param>
/// <param name="Evidence"><see cref="PinStrength.Dane"/>, <see cref="PinStrength.WebPki"/>, or null for none.</param>
/// <param name="Why">The evidence, or what is missing, as a sentence.</param>
/// <param name="Certificate">The first certificate with the key.</param>
/// <param name="At">The addresses that presented the key.</param>
public sealed record FetchedKey(
    Fingerprint Pin, PinStrength? Evidence, string Why, ServerCertificate Certificate, ImmutableArray<ProbedAddress> At)
{
    /// <summary>Every certificate with this key.</summary>
    public IEnumerable<ServerCertificate> Certificates => At
        .SelectMany(address => address.Observation.Certificates)
        .Select(presented => presented.Certificate)
        .Where(certificate => certificate.KeyId == Certificate.KeyId)
        .Distinct();

    /// <summary>The addresses as text: <c>mx.example [192.0.2.1]</c> each.</summary>
    public string Where => string.Join(", ", At.Select(address => $"{address.Host.Name} [{address.Observation.Target.Address}]"));
}

/// <summary>The public keys that a probe saw, each with the evidence that every address which presented it gives.</summary>
internal static class FetchedKeys
{
    internal static IReadOnlyList<FetchedKey> Of(ProbedDestination probed, DigestAlgorithm digest) =>
    [
        .. probed.Addresses
            .SelectMany(address => address.Observation.Certificates.Select(presented => (Address: address, Presented: presented)))
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
        var presented = places.Select(place => new PresentedAt(
            place.Address.Host.Name, place.Presented.Certificate, place.Address.State.DaneOf(place.Presented.Certificate.Algorithm),
            place.Presented.Chain)).ToList();
        if (presented.Find(place => !KeyStrength.IsAcceptable(place.Certificate)) is { Certificate: { } weak })
            return (null, $"none: the key is weak ({Phrases.PublicKey(weak)})");
        if (presented.Exists(place => place.Dane == DaneVerdict.Mismatch))
            return (null, "none, and worse: a DNSSEC-secure TLSA record exists and does not match");
        switch (Evidence.OfEvery(presented, resolution.MxDnssec, resolution.HostIsGiven))
        {
            case PinStrength.Dane:
                return (PinStrength.Dane, "dane: a DNSSEC-secure TLSA record matches");
            case PinStrength.WebPki:
                return (PinStrength.WebPki, "webpki: a trusted chain, valid for the MX host's name, which is authenticated");
        }

        if (places.Any(place => !place.Address.Host.Tlsa.IsEmpty
            && place.Address.State.DaneOf(place.Presented.Certificate.Algorithm) == DaneVerdict.Unjudged))
            return (null, "none: there are TLSA records, but no trusted resolver says that DNSSEC secures them (resolver_trusted)");
        return (null, presented.TrueForAll(Evidence.IsTrusted)
            ? "none: the chain is trusted, but the MX host's name comes from DNS without DNSSEC"
            : "none: seen for the first time, and nothing says whose it is");
    }
}
