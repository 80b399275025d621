using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Policies;

/// <summary>Compares two lists of peer names at levels <c>verify</c> and <c>secure</c>: which certificates does the second accept that the first did not?</summary>
/// <remarks>See postconf(5), smtp_tls_verify_cert_match. <c>.example.com</c> is any name below example.com and not that name itself.</remarks>
internal static class MatchWidening
{
    /// <summary>Each thing newly accepted, as the end of "would accept ...".</summary>
    internal static IEnumerable<string> Of(TlsPolicy before, TlsPolicy after, NextHop key)
    {
        var accepted = Effective(before, key);
        foreach (var name in Effective(after, key))
        {
            if (!accepted.Any(known => Covers(known, name)))
                yield return name switch
                {
                    "hostname" => "the MX host's own name, which comes from DNS",
                    "nexthop" => "the name of the destination itself",
                    "dot-nexthop" => "any name below the destination",
                    _ when name.StartsWith('.') => $"any name below {name[1..]}",
                    _ => $"the name {name}",
                };
        }
    }

    /// <summary>The names with Postfix's defaults, and with <c>nexthop</c> resolved where the key says what it is.</summary>
    private static List<string> Effective(TlsPolicy policy, NextHop key)
    {
        IEnumerable<string> names = policy.Match.Length > 0 ? policy.Match
            : policy.Level == TlsLevel.Secure ? ["nexthop", "dot-nexthop"] // smtp_tls_secure_cert_match
            : ["hostname"]; // smtp_tls_verify_cert_match
        return [.. names.Select(AttributeValues.FoldPeerName).Select(name => key.IsSubdomains || key.IsPath
            ? name // the next hop is any name below the key
            : name switch { "nexthop" => key.Host, "dot-nexthop" => "." + key.Host, _ => name })];
    }

    private static bool Covers(string known, string name) =>
        known == name || (known.StartsWith('.') && name.EndsWith(known, StringComparison.Ordinal) && name.Length > known.Length);
}
