using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Policies;

/// <summary>Compares the peer names of two policies at levels <c>verify</c> and <c>secure</c>: which certificates does the second accept that the first does not?</summary>
internal static class MatchWidening
{
    /// <summary>The names and keys that a policy newly accepts, each as the end of "would accept ...".</summary>
    internal static IEnumerable<string> Of(TlsPolicy before, TlsPolicy after, NextHop key)
    {
        var accepted = Names(before, key);
        foreach (var name in Names(after, key))
        {
            if (!accepted.Exists(known => DefaultMatch.Covers(known, name)))
                yield return name switch
                {
                    DefaultMatch.HostName => "the MX host's own name, which comes from DNS",
                    DefaultMatch.NextHopName => "the name of the destination itself",
                    DefaultMatch.BelowNextHop => "any name below the destination",
                    _ when name.StartsWith('.') => $"any name below {name[1..]}",
                    _ => $"the name {name}",
                };
        }
    }

    /// <summary>The names with Postfix's defaults, and with <c>nexthop</c> resolved where the key says what it is.</summary>
    private static List<string> Names(TlsPolicy policy, NextHop key) =>
        // At a leading dot the next hop is any name below the key.
        [.. policy.Effective().Select(AttributeValues.FoldPeerName)
            .Select(name => key.IsSubdomains || key.IsPath ? name : DefaultMatch.Resolve(name, key, mxHost: null))];
}
