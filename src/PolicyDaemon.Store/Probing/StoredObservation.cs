using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Store.Probing;

/// <summary>What one probe of one address saw, as the store keeps it for people: the rules of the life cycle never read it.</summary>
/// <param name="MxHost">The MX host that the address belongs to.</param>
/// <param name="Target">The address, its port and the name that is sent (SNI).</param>
/// <param name="At">When the probe ended.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Stage">The stage that it reached, or failed in.</param>
/// <param name="ReplyCode">Of an SMTP refusal.</param>
/// <param name="Detail">The server's words or the system's.</param>
/// <param name="Certificates">What it was shown, at most one of each key algorithm.</param>
/// <param name="Timings">How long each stage took; empty like <paramref name="Transcript"/>.</param>
/// <param name="Transcript">The dialogue; empty in an older one of several probes in a row with the same outcome.</param>
public sealed record StoredObservation(
    string MxHost, ProbeTarget Target, DateTimeOffset At, ProbeOutcome Outcome, ProbeStage Stage, int? ReplyCode, string? Detail,
    ImmutableArray<StoredCertificate> Certificates, ImmutableArray<StageTiming> Timings, ImmutableArray<string> Transcript);

/// <summary>A certificate as a handshake showed it; the certificate itself is kept once, by its fingerprint.</summary>
/// <param name="CertificateFingerprint">SHA-256 of the whole certificate.</param>
/// <param name="Algorithm"><c>rsa</c>, <c>ecdsa</c>, <c>eddsa</c> or <c>other</c>.</param>
/// <param name="Chain"><c>trusted</c>, <c>expired</c> or <c>not-trusted</c>.</param>
/// <param name="ChainDetail">Why it is not trusted.</param>
/// <param name="TlsVersion">The protocol's version.</param>
/// <param name="Cipher">The cipher suite.</param>
public sealed record StoredCertificate(
    string CertificateFingerprint, string Algorithm, string Chain, string? ChainDetail, string TlsVersion, string Cipher);
