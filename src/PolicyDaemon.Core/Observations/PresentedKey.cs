using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Observations;

/// <summary>A key that an address presented.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Target">Its address.</param>
/// <param name="PublicKey">In the digest that is served.</param>
/// <param name="Certificate">In the digest that is served.</param>
/// <param name="Since">The first of the unbroken run of probes that saw it.</param>
public sealed record PresentedKey(string MxHost, ProbeTarget Target, Fingerprint PublicKey, Fingerprint Certificate, DateTimeOffset Since);

/// <summary>Where a pinned key or certificate was seen.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Target">Its address.</param>
/// <param name="Certificate">The certificate that was presented last with it.</param>
/// <param name="Subject">What of the certificate the pin is a digest of.</param>
/// <param name="First">The first probe that saw it there, as far as remembered.</param>
/// <param name="Last">The last.</param>
/// <param name="IsCurrent">It is what was presented last.</param>
public sealed record PinPresentation(
    string MxHost, ProbeTarget Target, ServerCertificate Certificate, PinSubject Subject, DateTimeOffset First, DateTimeOffset Last, bool IsCurrent);
