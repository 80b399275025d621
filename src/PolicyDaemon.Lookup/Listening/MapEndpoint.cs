using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>Where lookups are answered, in which protocol: <c>inet:HOST:PORT</c> or <c>unix:PATH</c> as Postfix writes them.</summary>
public sealed record MapEndpoint
{
    private MapEndpoint(MapProtocol protocol, string text, IPEndPoint? address, string? path, bool anyFamily)
    {
        Protocol = protocol;
        Text = text;
        Address = address;
        Path = path;
        IsAnyAddress = anyFamily;
    }

    public MapProtocol Protocol { get; }

    /// <summary>The endpoint as it was written.</summary>
    public string Text { get; }

    /// <summary>Address and port; null for a unix socket. Port 0 lets the kernel choose.</summary>
    public IPEndPoint? Address { get; }

    /// <summary>The absolute path of a unix socket, else null.</summary>
    public string? Path { get; }

    /// <summary><c>inet:*:PORT</c>: every address, IPv4 and IPv6.</summary>
    public bool IsAnyAddress { get; }

    public override string ToString() => Text;

    /// <summary>Reads one endpoint.</summary>
    /// <param name="text"><c>inet:127.0.0.1:8461</c>, <c>inet:[::1]:8461</c>, <c>inet:localhost:8461</c>, <c>inet:*:8461</c> or <c>unix:/absolute/path</c>.</param>
    /// <param name="reason">What is wrong with it and what to write.</param>
    public static bool TryParse(
        MapProtocol protocol, string text, [NotNullWhen(true)] out MapEndpoint? endpoint, [NotNullWhen(false)] out string? reason)
    {
        text = text.Trim();
        endpoint = null;
        if (text.StartsWith("unix:", StringComparison.Ordinal))
            return TryParseUnix(protocol, text, out endpoint, out reason);
        if (text.StartsWith("inet:", StringComparison.Ordinal))
            return TryParseInet(protocol, text, out endpoint, out reason);
        reason = $"'{text}' is no endpoint; write inet:ADDRESS:PORT or unix:/PATH";
        return false;
    }

    /// <summary>True where both would be bound to the same place, whatever the protocol.</summary>
    public bool Overlaps(MapEndpoint other) =>
        Path is not null ? Path == other.Path : Address!.Equals(other.Address) && Address.Port != 0;

    /// <summary>True where a listening socket at this address, made by another process, serves this endpoint.</summary>
    /// <remarks><c>inet:*:PORT</c> is served by one socket for both families or by one for each.</remarks>
    public bool IsServedAt(EndPoint address) => address switch
    {
        UnixDomainSocketEndPoint unix => Path is not null && unix.ToString() == Path,
        IPEndPoint inet => Address is not null && Address.Port == inet.Port && (Address.Address.Equals(inet.Address)
            || (IsAnyAddress && (inet.Address.Equals(IPAddress.Any) || inet.Address.Equals(IPAddress.IPv6Any)))),
        _ => false,
    };

    /// <summary>This endpoint with the port that the kernel chose.</summary>
    internal MapEndpoint BoundTo(IPEndPoint address) => Address is { Port: 0 }
        ? new(Protocol, $"inet:{(IsAnyAddress ? "*" : address.Address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address.Address}]" : address.Address)}:{address.Port}", new IPEndPoint(Address.Address, address.Port), null, IsAnyAddress)
        : this;

    private static bool TryParseUnix(
        MapProtocol protocol, string text, [NotNullWhen(true)] out MapEndpoint? endpoint, [NotNullWhen(false)] out string? reason)
    {
        endpoint = null;
        var path = text[5..];
        if (path.Length == 0 || path[0] != '/' || path[^1] == '/')
            reason = $"'{text}': the path of a unix socket is absolute and names a file, as in unix:/run/policydaemon/socketmap";
        else if (path.Any(character => char.IsControl(character)))
            reason = $"'{text}': the path has control characters";
        else if (!UnixSocketFile.Fits(path))
            reason = $"'{text}': the path is too long; unix sockets take {UnixSocketFile.MaxPath} octets";
        else
        {
            reason = null;
            endpoint = new(protocol, text, null, path, false);
        }

        return endpoint is not null;
    }

    private static bool TryParseInet(
        MapProtocol protocol, string text, [NotNullWhen(true)] out MapEndpoint? endpoint, [NotNullWhen(false)] out string? reason)
    {
        endpoint = null;
        var rest = text[5..];
        var colon = rest.LastIndexOf(':');
        var host = colon < 0 ? "" : rest[..colon];
        if (colon < 0 || !ushort.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            reason = $"'{text}': a port number from 0 to 65535 is missing, as in inet:127.0.0.1:8461";
            return false;
        }

        IPAddress? address;
        if (host == "*")
            address = Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        else if (string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase))
            address = IPAddress.Loopback; // not looked up: a hosts file must not decide who may ask
        else if (host.StartsWith('[') && host.EndsWith(']'))
            address = IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out var v6) && v6.AddressFamily == AddressFamily.InterNetworkV6 ? v6 : null;
        else
            // IPAddress.Parse takes "127.1" and "1" too; four numbers are what people mean.
            address = host.Count(character => character == '.') == 3 && IPAddress.TryParse(host, out var v4)
                && v4.AddressFamily == AddressFamily.InterNetwork ? v4 : null;

        if (address is null)
        {
            reason = $"'{text}': '{host}' is no address; write an IPv4 address, an IPv6 address in brackets, localhost or *";
            return false;
        }

        reason = null;
        endpoint = new(protocol, text, new IPEndPoint(address, port), null, host == "*");
        return true;
    }
}
