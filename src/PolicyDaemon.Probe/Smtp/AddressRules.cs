using System.Net;
using System.Net.Sockets;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>Decides which addresses are probed: anyone can write an MX record that points to loopback or into a private network.</summary>
public static class AddressRules
{
    // IANA IPv4 and IPv6 Special-Purpose Address Registries: everything not globally reachable that a host could answer on.
    private static readonly IPNetwork[] NotPublic =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
            "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
            "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8",
        }.Select(text => IPNetwork.Parse(text)),
    ];

    // Prefixes that carry an IPv4 address inside: NAT64 (RFC 6052 section 2.1) and 6to4 (RFC 3056 section 2).
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    /// <summary>True for a public unicast address: not loopback, private, link-local or reserved.</summary>
    public static bool IsPublic(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            var octets = address.GetAddressBytes();
            if (Nat64.Contains(address))
                address = new IPAddress(octets.AsSpan(12, 4));
            else if (SixToFour.Contains(address))
                address = new IPAddress(octets.AsSpan(2, 4));
        }

        return !Array.Exists(NotPublic, network => network.Contains(address));
    }
}
