using System.Globalization;
using System.Net;

namespace PolicyDaemon.Core.Observations;

/// <summary>What a probe connects to. Destinations that share it share the probe.</summary>
/// <remarks>The SNI name is part of the target because a server may present another certificate for another name; without a
/// <c>servername</c> attribute Postfix sends none, and one target serves every destination behind the address.</remarks>
public sealed record ProbeTarget : IComparable<ProbeTarget>
{
    /// <param name="address">An IPv4-mapped IPv6 address is taken as the IPv4 address.</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="serverName">The SNI name to send, lower case; null to send none.</param>
    public ProbeTarget(IPAddress address, int port, string? serverName = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, 65535);
        Address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        Port = port;
        ServerName = string.IsNullOrEmpty(serverName) ? null : serverName.ToLowerInvariant();
    }

    public IPAddress Address { get; }

    public int Port { get; }

    public string? ServerName { get; }

    /// <summary>The stored name: <c>192.0.2.1:25</c>, <c>[2001:db8::1]:25</c>, with <c>/name</c> where SNI is sent.</summary>
    public string Id => string.Create(
        CultureInfo.InvariantCulture, $"{new IPEndPoint(Address, Port)}{(ServerName is null ? "" : "/")}{ServerName}");

    public int CompareTo(ProbeTarget? other) => string.CompareOrdinal(Id, other?.Id);

    public override string ToString() => Id;

    /// <summary>Reads <see cref="Id"/> back.</summary>
    /// <exception cref="FormatException">The text is no stored name of a target.</exception>
    public static ProbeTarget Parse(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        var slash = id.IndexOf('/', StringComparison.Ordinal);
        var endpoint = IPEndPoint.Parse(slash < 0 ? id : id[..slash]);
        return new ProbeTarget(endpoint.Address, endpoint.Port, slash < 0 ? null : id[(slash + 1)..]);
    }

    public static bool operator <(ProbeTarget left, ProbeTarget right) => Comparer<ProbeTarget>.Default.Compare(left, right) < 0;

    public static bool operator >(ProbeTarget left, ProbeTarget right) => Comparer<ProbeTarget>.Default.Compare(left, right) > 0;

    public static bool operator <=(ProbeTarget left, ProbeTarget right) => Comparer<ProbeTarget>.Default.Compare(left, right) <= 0;

    public static bool operator >=(ProbeTarget left, ProbeTarget right) => Comparer<ProbeTarget>.Default.Compare(left, right) >= 0;
}

/// <summary>A target that belongs, or belonged, to an MX host of a destination.</summary>
/// <param name="MxHost">The MX host's name.</param>
/// <param name="Target">The target.</param>
/// <param name="LastListed">The time of the last resolution that named the target.</param>
public sealed record MxTarget(string MxHost, ProbeTarget Target, DateTimeOffset LastListed);
