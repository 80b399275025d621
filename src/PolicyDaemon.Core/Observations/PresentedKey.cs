using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Observations;

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
