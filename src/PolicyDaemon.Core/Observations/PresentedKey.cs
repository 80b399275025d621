using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Observations;

/// <summary>A key that an address presented.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Target">Its address.</param>
/// <param name="PublicKey">In the digest that is served.</param>
/// <param name="Certificate">In the digest that is served.</param>
/// <param name="Since">The first of the unbroken run of probes that saw it.</param>
public sealed record PresentedKey(string MxHost, ProbeTarget Target, Fingerprint PublicKey, Fingerprint Certificate, DateTimeOffset Since);
