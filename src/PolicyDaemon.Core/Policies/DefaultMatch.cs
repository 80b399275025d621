using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Policies;

/// <summary>The names that Postfix looks for in a certificate at <c>verify</c> and <c>secure</c>, with its defaults where an entry gives none.</summary>
/// <remarks>
/// See postconf(5), smtp_tls_verify_cert_match and smtp_tls_secure_cert_match. Three keywords stand for names:
/// <code>
/// hostname      the MX host, whose name comes from DNS
/// nexthop       the next-hop destination
/// dot-nexthop   any name below the next-hop destination
/// </code>
/// <c>.example.com</c> is any name below example.com, at any depth, and not that name itself.
/// </remarks>
public static class DefaultMatch
{
    public const string HostName = "hostname";
    public const string NextHopName = "nexthop";
    public const string BelowNextHop = "dot-nexthop";

    private static readonly ImmutableArray<string> OfVerify = [HostName]; // smtp_tls_verify_cert_match default
    private static readonly ImmutableArray<string> OfSecure = [NextHopName, BelowNextHop]; // smtp_tls_secure_cert_match default

    public static ImmutableArray<string> Keywords { get; } = [NextHopName, BelowNextHop, HostName];

    /// <summary>The names that an entry without <c>match</c> has at a level; none at a level that matches no names.</summary>
    public static ImmutableArray<string> Of(TlsLevel level) => level switch
    {
        TlsLevel.Verify => OfVerify,
        TlsLevel.Secure => OfSecure,
        _ => [],
    };

    /// <summary>The policy's own names, or the defaults of its level.</summary>
    public static ImmutableArray<string> Effective(this TlsPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy.Match.IsEmpty ? Of(policy.Level) : policy.Match;
    }

    /// <summary>The name that a keyword stands for; any other name is itself.</summary>
    /// <param name="nextHop">The destination that Postfix delivers to.</param>
    /// <param name="mxHost">The host it connects to; null where that is not known, and then <c>hostname</c> stays.</param>
    public static string Resolve(string name, NextHop nextHop, string? mxHost) => name.ToLowerInvariant() switch
    {
        HostName => mxHost ?? name,
        NextHopName => nextHop.Host,
        BelowNextHop => "." + nextHop.Host,
        _ => name,
    };

    /// <summary>True where a certificate for the second name is accepted because of the first.</summary>
    public static bool Covers(string accepted, string name)
    {
        ArgumentNullException.ThrowIfNull(accepted);
        ArgumentNullException.ThrowIfNull(name);
        return string.Equals(accepted, name, StringComparison.OrdinalIgnoreCase)
            || (accepted.StartsWith('.') && name.EndsWith(accepted, StringComparison.OrdinalIgnoreCase) && name.Length > accepted.Length);
    }
}
