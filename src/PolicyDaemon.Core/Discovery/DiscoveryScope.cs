using System.Buffers;
using System.Collections.Immutable;
using System.Net;
using System.Text;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Discovery;

/// <summary>Which keys are discovered.</summary>
/// <remarks>
/// <code>
/// example.com  a.example.com  example.com:587     MX, DANE and MTA-STS; a parent's policy never applies
/// [mx.example.com]  [mx.example.com]:587          DANE of the host
/// .example.com  192.0.2.1  [192.0.2.1]  /path     not at all
/// </code>
/// Nor are names that no DNS of the world knows (RFC 6761, 6762, 7686, 8375; .internal by ICANN), and those that <c>skip</c> names.
/// </remarks>
/// <param name="skip">Domains, and <c>.suffixes</c> for everything below.</param>
public sealed class DiscoveryScope(ImmutableArray<string> skip)
{
    private static readonly SearchValues<char> Ipv4Characters = SearchValues.Create("0123456789.");

    private static readonly string[] LocalSuffixes = [".localhost", ".local", ".onion", ".internal", ".home.arpa"];

    /// <summary>True where discovery answers for a canonical key, given in octets. Keys that Postfix asks for while it walks to parents cost no allocation.</summary>
    public bool Includes(ReadOnlySpan<byte> canonicalKey) =>
        !canonicalKey.IsEmpty && canonicalKey[0] != '.' && NextHop.TryParse(Encoding.ASCII.GetString(canonicalKey), out var key, out _) && Includes(key);

    /// <summary>True where a destination without an entry is looked up.</summary>
    public bool Includes(NextHop key)
    {
        if (key.IsSubdomains || key.IsPath || key.Text.Contains(':', StringComparison.Ordinal) && key.Port is null)
            return false;
        var host = key.Host;
        if (IPAddress.TryParse(host, out _) || !MxReader.IsHostName(host) || !host.AsSpan().ContainsAnyExcept(Ipv4Characters) || IsLocal(host))
            return false;
        foreach (var name in skip)
        {
            if (name == host || (name.StartsWith('.') && host.EndsWith(name, StringComparison.Ordinal)))
                return false;
        }

        return true;
    }

    private static bool IsLocal(string host) =>
        Array.Exists(LocalSuffixes, suffix => host.EndsWith(suffix, StringComparison.Ordinal) || suffix.AsSpan(1).SequenceEqual(host));
}
