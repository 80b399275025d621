using System.Collections.Immutable;

namespace PolicyDaemon.Core.Policies;

/// <summary>The words of <c>servername</c> that Postfix replaces by a name. See postconf(5), smtp_tls_servername.</summary>
public static class ServerNames
{
    /// <summary>Stands for the MX host's name.</summary>
    public const string HostName = "hostname";

    /// <summary>Stands for the next-hop destination.</summary>
    public const string NextHop = "nexthop";

    public static ImmutableArray<string> Words { get; } = [HostName, NextHop];
}

/// <summary>What an administrator asks of a destination: a level and its attributes, without the pins.</summary>
/// <remarks>
/// The attributes are those of postconf(5), smtp_tls_policy_maps. Values are kept as the administrator means them;
/// whether they are legal together is <see cref="PolicyRules"/>'s business and how they are written <see cref="PolicyText"/>'s.
/// </remarks>
public sealed record TlsPolicy
{
    public required TlsLevel Level { get; init; }

    /// <summary>Peer names at <c>verify</c> and <c>secure</c>: a name, <c>.name</c>, <c>nexthop</c>, <c>dot-nexthop</c> or
    /// <c>hostname</c>. Empty: Postfix's default. Pins are not here but in <see cref="Destination.Pins"/>.</summary>
    public ImmutableArray<string> Match { get; init; } = [];

    /// <summary>Cipher grade: <c>export low medium high null</c>.</summary>
    public string? Ciphers { get; init; }

    /// <summary>Protocols, as Postfix writes them: <c>&gt;=TLSv1.2</c> or <c>!SSLv3:!TLSv1</c>.</summary>
    public string? Protocols { get; init; }

    /// <summary>Excluded ciphers or cipher classes, separated by <c>:</c>.</summary>
    public string? Exclude { get; init; }

    /// <summary>The SNI name: a host name, <c>hostname</c> or <c>nexthop</c>.</summary>
    public string? ServerName { get; init; }

    /// <summary>Trust anchor files (PEM), readable inside Postfix's chroot.</summary>
    public ImmutableArray<string> TaFiles { get; init; } = [];

    public bool? ConnectionReuse { get; init; }

    /// <summary>Raw public keys (RFC 7250), Postfix 3.9 and later.</summary>
    public bool? EnableRpk { get; init; }

    /// <summary>TLSRPT attributes (Postfix 3.10 and later), served on the map <c>tlspolicy-tlsrpt</c> only.</summary>
    public TlsRptAttributes? TlsRpt { get; init; }

    /// <summary>Equal where the level and every attribute are; what is compared is what <see cref="PolicyAttributes"/> lists.</summary>
    public bool Equals(TlsPolicy? other) =>
        other is not null && Level == other.Level
        && PolicyAttributes.All.All(row => row.Get(this).AsSpan().SequenceEqual(row.Get(other).AsSpan()));

    public override int GetHashCode() => HashCode.Combine(Level, Match.Length, Ciphers, ServerName);
}

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
