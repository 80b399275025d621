using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Observations;

/// <summary>A certificate as one handshake showed it.</summary>
/// <param name="Certificate">The server's own certificate.</param>
/// <param name="Intermediates">The certificates that the server sent behind its own, DER, in no promised order.</param>
/// <param name="Chain">The verdict of the WebPKI over the chain, names apart.</param>
/// <param name="ChainDetail">Why the chain is not trusted, for people.</param>
/// <param name="TlsVersion">The version of TLS as OpenSSL and Postfix write it: <c>TLSv1.3</c>.</param>
/// <param name="Cipher">The cipher suite's name in the IANA registry.</param>
public sealed record PresentedCertificate(
    ServerCertificate Certificate, ImmutableArray<ImmutableArray<byte>> Intermediates, ChainVerdict Chain, string? ChainDetail,
    string TlsVersion, string Cipher)
{
    /// <summary>What the server sent behind its own certificate, as far as it can be read.</summary>
    public IEnumerable<ServerCertificate> SentBehind => Intermediates.Select(der => ServerCertificate.TryParse(der.AsSpan())).OfType<ServerCertificate>();
}

/// <summary>The verdict of the WebPKI over a chain, names apart. Recorded, never a reason to break off a handshake.</summary>
public enum ChainVerdict
{
    /// <summary>The chain ends at a root of the configured store, and every date is in order.</summary>
    Trusted,

    /// <summary>The chain would be trusted but for a date.</summary>
    Expired,

    NotTrusted,
}

/// <summary>The stored names of verdicts over a chain.</summary>
public static class ChainVerdicts
{
    private static readonly StoredNames<ChainVerdict> Stored = new(
        (ChainVerdict.Trusted, "trusted"), (ChainVerdict.Expired, "expired"), (ChainVerdict.NotTrusted, "not-trusted"));

    public static string Name(this ChainVerdict value) => Stored.Of(value);

    public static bool TryParse([NotNullWhen(true)] string? name, out ChainVerdict value) => Stored.TryParse(name, out value);
}

/// <summary>A key that an address presented.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Target">The host's address and port.</param>
/// <param name="PublicKey">The fingerprint of the public key, in the digest that Postfix compares.</param>
/// <param name="Certificate">The fingerprint of the certificate, in the same digest.</param>
/// <param name="Since">The first of the unbroken run of probes that saw it.</param>
public sealed record PresentedKey(string MxHost, ProbeTarget Target, Fingerprint PublicKey, Fingerprint Certificate, DateTimeOffset Since);

/// <summary>A place where a pinned key or certificate was presented.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Target">The host's address and port.</param>
/// <param name="Certificate">The last certificate there that the pin names.</param>
/// <param name="Subject">What of the certificate the pin is a digest of.</param>
/// <param name="First">The first probe that saw it there, as far as remembered.</param>
/// <param name="Last">The last probe that saw it there.</param>
/// <param name="IsCurrent">True where the address, as far as it is still listed, presented it in the last probe.</param>
public sealed record PinPresentation(
    string MxHost, ProbeTarget Target, ServerCertificate Certificate, PinSubject Subject, DateTimeOffset First, DateTimeOffset Last, bool IsCurrent);
