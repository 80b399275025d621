using System.Collections.Immutable;

namespace PolicyDaemon.Core.Policies;

/// <summary>The attributes that let Postfix 3.10 and later write TLSRPT reports (RFC 8460). See postconf(5), smtp_tls_policy_maps.</summary>
/// <param name="PolicyType"><c>sts</c> or <c>no-policy-found</c>.</param>
/// <param name="PolicyDomain">The policy's domain, a host name.</param>
/// <param name="PolicyStrings">The policy's lines, one attribute each.</param>
/// <param name="MxHostPatterns">The policy's <c>mx</c> patterns, one attribute each.</param>
/// <param name="PolicyFailure">A failure found before the delivery: <c>sts-policy-fetch-error</c>, <c>sts-policy-invalid</c>,
/// <c>sts-webpki-invalid</c> or <c>validation-failure</c>.</param>
public sealed record TlsRptAttributes(
    string PolicyType,
    string? PolicyDomain,
    ImmutableArray<string> PolicyStrings,
    ImmutableArray<string> MxHostPatterns,
    string? PolicyFailure)
{
    public bool Equals(TlsRptAttributes? other) =>
        other is not null
        && PolicyType == other.PolicyType
        && PolicyDomain == other.PolicyDomain
        && PolicyFailure == other.PolicyFailure
        && PolicyStrings.AsSpan().SequenceEqual(other.PolicyStrings.AsSpan())
        && MxHostPatterns.AsSpan().SequenceEqual(other.MxHostPatterns.AsSpan());

    public override int GetHashCode() => HashCode.Combine(PolicyType, PolicyDomain, PolicyFailure);
}
