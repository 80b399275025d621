using System.Collections.Immutable;

namespace PolicyDaemon.Core.Observations;

/// <summary>A certificate as one handshake showed it.</summary>
/// <param name="Certificate">The server's own.</param>
/// <param name="Intermediates">What it sent behind its own, DER, in no promised order.</param>
/// <param name="Chain">What the WebPKI says, names apart.</param>
/// <param name="ChainDetail">Why it is not trusted, for people.</param>
/// <param name="TlsVersion">As OpenSSL and Postfix write it: <c>TLSv1.3</c>.</param>
/// <param name="Cipher">The cipher suite's name in the IANA registry.</param>
public sealed record PresentedCertificate(
    ServerCertificate Certificate, ImmutableArray<ImmutableArray<byte>> Intermediates, ChainVerdict Chain, string? ChainDetail,
    string TlsVersion, string Cipher);
