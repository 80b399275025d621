using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Text;
using PolicyDaemon.Core.Destinations.Idna;

namespace PolicyDaemon.Core.Destinations;

/// <summary>Brings the key of a lookup into the one form in which entries are kept.</summary>
/// <remarks>
/// <para>Postfix sends the next-hop destination as it was routed: in the sender's letter case, as U-labels or A-labels, with a
/// service name or a port number, perhaps with a trailing dot. A key that misses its entry for such a reason is a silent
/// downgrade, so both sides, the lookup and the administrator's input, pass through this one method.</para>
/// <code>
/// example.com  .example.com  example.com:587  [mx.example.com]  [mx.example.com]:587  192.0.2.1  [2001:db8::1]  /path/of/lmtp
/// </code>
/// <para>Folded: letter case, blanks around the key, one trailing dot of the host, UTS #46 mapping, the port's service name and
/// leading zeros, the text form of an IPv6 address and its <c>ipv6:</c> prefix. Not folded: brackets and port, which make a
/// different key to Postfix. Allocates nothing for an ASCII name.</para>
/// </remarks>
public static class LookupKey
{
    /// <summary>The key of the entry for every bare domain that nothing else answers for. Postfix never asks for it.</summary>
    public static ReadOnlySpan<byte> Default => "*"u8;

    /// <summary>Octets that any canonical key fits into: a host of 253, two brackets, a colon and a service name.</summary>
    public const int MaxCanonicalLength = 512;

    // A UTF-8 name of 253 characters can take four octets each before it is mapped; nothing longer can be a destination.
    internal const int MaxRawLength = 1024 + 64;
    private const int MaxHostLength = 253; // RFC 1035 section 2.3.4, without the root's dot
    private const int MaxLabelLength = 63;
    private const int MaxPathLength = 256; // sun_path is shorter everywhere

    private static readonly SearchValues<byte> HostBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."u8);

    private static readonly SearchValues<byte> CanonicalHostBytes = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_."u8);

    private static readonly SearchValues<byte> NumericHostBytes = SearchValues.Create("0123456789."u8);

    /// <summary>True for a plain host name that is canonical as it is, which most keys are; others may be, too.</summary>
    public static bool IsCanonicalHost(ReadOnlySpan<byte> raw) => HasValidLabels(raw, CanonicalHostBytes);

    /// <summary>Writes the canonical form of <paramref name="raw"/>.</summary>
    /// <param name="raw">The key's bytes as received.</param>
    /// <param name="canonical">At least <see cref="MaxCanonicalLength"/> octets.</param>
    /// <param name="length">How many octets of <paramref name="canonical"/> are the key; 0 unless canonical.</param>
    public static LookupKeyStatus Normalize(ReadOnlySpan<byte> raw, Span<byte> canonical, out int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(canonical.Length, MaxCanonicalLength);
        length = 0;
        raw = raw.Trim(" \t\r\n"u8);
        if (raw.IsEmpty || raw.Length > MaxRawLength)
            return Rejected(raw);

        if (raw.Contains((byte)'/'))
            return NormalizePath(raw, canonical, out length);

        if (raw[0] == '[')
        {
            var close = raw.IndexOf((byte)']');
            if (close < 0)
                return Rejected(raw);
            var status = WriteAddressOrHost(raw[1..close], canonical[1..], out var hostLength);
            if (status != LookupKeyStatus.Canonical)
                return status;
            canonical[0] = (byte)'[';
            canonical[hostLength + 1] = (byte)']';
            return WritePort(raw[(close + 1)..], canonical, hostLength + 2, out length);
        }

        if (raw[0] == '.')
        {
            var status = WriteHost(raw[1..], canonical[1..], out var hostLength);
            if (status != LookupKeyStatus.Canonical)
                return status;
            canonical[0] = (byte)'.';
            length = hostLength + 1;
            return status;
        }

        var colon = raw.IndexOf((byte)':');
        if (colon < 0)
            return WriteHost(raw, canonical, out length);
        if (raw[(colon + 1)..].Contains((byte)':'))
            return WriteAddressOrHost(raw, canonical, out length);

        var hostStatus = WriteHost(raw[..colon], canonical, out var end);
        return hostStatus == LookupKeyStatus.Canonical ? WritePort(raw[colon..], canonical, end, out length) : hostStatus;
    }

    /// <summary>The host of a canonical key without brackets and port; a leading dot stays, since it makes another question.</summary>
    public static ReadOnlySpan<byte> BareHost(ReadOnlySpan<byte> canonical)
    {
        if (canonical.IsEmpty || canonical.Contains((byte)'/')) // a path has no host
            return canonical;
        if (canonical[0] == '[')
        {
            var close = canonical.IndexOf((byte)']');
            return close < 0 ? canonical : canonical[1..close];
        }

        var colon = canonical.IndexOf((byte)':');
        var hasPort = colon >= 0 && !canonical[(colon + 1)..].Contains((byte)':');
        return hasPort ? canonical[..colon] : canonical;
    }

    /// <summary>The key that Postfix asks for where this one is not found: the next parent with its leading dot; empty where there is none.</summary>
    /// <remarks>Only a plain host name, and each of its parents, has one (smtp/smtp_tls_policy.c).</remarks>
    public static ReadOnlySpan<byte> Parent(ReadOnlySpan<byte> canonical)
    {
        if (canonical.IsEmpty || (canonical[0] == '.' ? canonical.Contains((byte)'/') : !IsPlainHostName(canonical)))
            return default;
        var dot = canonical[1..].IndexOf((byte)'.');
        return dot < 0 ? default : canonical[(dot + 1)..];
    }

    /// <summary>True for a host name without brackets and port whose parents Postfix asks for, too (util/valid_hostname.c).</summary>
    public static bool IsPlainHostName(ReadOnlySpan<byte> canonical) =>
        !canonical.IsEmpty && canonical[0] is not ((byte)'.' or (byte)'[' or (byte)'-') && canonical[^1] != '-'
        && !canonical.ContainsAny((byte)'/', (byte)':') && canonical.ContainsAnyExcept(NumericHostBytes)
        && canonical.IndexOf(".-"u8) < 0 && canonical.IndexOf("-."u8) < 0;

    /// <summary>True for a canonical key without leading dot, brackets, port and slash.</summary>
    public static bool IsBareDomain(ReadOnlySpan<byte> canonical) =>
        !canonical.IsEmpty && canonical[0] is not ((byte)'.' or (byte)'[') && !canonical.ContainsAny((byte)':', (byte)'/');

    private static LookupKeyStatus NormalizePath(ReadOnlySpan<byte> raw, Span<byte> canonical, out int length)
    {
        length = 0;
        if (raw.Length > MaxPathLength || raw.ContainsAnyExceptInRange((byte)0x21, (byte)0x7e))
            return Rejected(raw);
        raw.CopyTo(canonical);
        length = raw.Length;
        return LookupKeyStatus.Canonical;
    }

    private static LookupKeyStatus WriteAddressOrHost(ReadOnlySpan<byte> host, Span<byte> destination, out int length)
    {
        length = 0;
        if (!host.Contains((byte)':'))
            return WriteHost(host, destination, out length);

        // The form of an address literal in RFC 5321 section 4.1.3; Postfix takes it in a next hop too.
        if (host.Length > 5 && Ascii.EqualsIgnoreCase(host[..5], "ipv6:"u8))
            host = host[5..];
        // A zone index (fe80::1%eth0) would parse; it means nothing in a next hop.
        if (host.Length > 45 || host.ContainsAny((byte)'%', (byte)'[')
            || !IPAddress.TryParse(host, out var address)
            || address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6)
            return Rejected(host);
        return address.TryFormat(destination, out length) ? LookupKeyStatus.Canonical : LookupKeyStatus.NotADestination;
    }

    private static LookupKeyStatus WriteHost(ReadOnlySpan<byte> host, Span<byte> destination, out int length)
    {
        length = 0;
        if (host.Length > 1 && host[^1] == '.')
            host = host[..^1];
        if (Ascii.IsValid(host))
        {
            if (host.IsEmpty || host.Length > MaxHostLength || host.ContainsAnyExcept(HostBytes))
                return LookupKeyStatus.NotADestination;
            Ascii.ToLower(host, destination, out length);
        }
        else if (!Uts46.TryToAscii(host, destination[..(MaxHostLength + 1)], out length))
        {
            length = 0;
            return LookupKeyStatus.Unmappable;
        }

        if (HasValidLabels(destination[..length], HostBytes))
            return LookupKeyStatus.Canonical;
        length = 0;
        return Rejected(host);
    }

    private static bool HasValidLabels(ReadOnlySpan<byte> host, SearchValues<byte> octets)
    {
        if (host.IsEmpty || host.Length > MaxHostLength || host.ContainsAnyExcept(octets))
            return false;
        while (true)
        {
            var dot = host.IndexOf((byte)'.');
            var label = dot < 0 ? host.Length : dot;
            if (label is 0 or > MaxLabelLength)
                return false;
            if (dot < 0)
                return true;
            host = host[(dot + 1)..];
        }
    }

    /// <param name="suffix">What follows the host: nothing, or a colon and a port.</param>
    private static LookupKeyStatus WritePort(ReadOnlySpan<byte> suffix, Span<byte> canonical, int at, out int length)
    {
        length = 0;
        if (suffix.IsEmpty)
        {
            length = at;
            return LookupKeyStatus.Canonical;
        }

        var name = suffix[1..];
        if (suffix[0] != ':' || name.Length is 0 or > 15) // RFC 6335 section 5.1: a service name has at most 15 characters
            return Rejected(suffix);
        Span<byte> lower = stackalloc byte[15];
        if (!Ascii.IsValid(name))
            return LookupKeyStatus.Unmappable;
        Ascii.ToLower(name, lower, out var count);
        lower = lower[..count];

        canonical[at++] = (byte)':';
        if (!lower.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
        {
            if (!Utf8Parser.TryParse(lower, out uint number, out var used) || used != count || number is 0 or > 65535)
                return LookupKeyStatus.NotADestination;
            return WriteNumber((int)number, canonical, at, out length);
        }

        if (ServiceNames.TryPort(lower, out var port))
            return WriteNumber(port, canonical, at, out length);
        foreach (var octet in lower)
        {
            if (!(char.IsAsciiLetterOrDigit((char)octet) || octet is (byte)'-' or (byte)'_'))
                return LookupKeyStatus.NotADestination;
        }

        lower.CopyTo(canonical[at..]);
        length = at + count;
        return LookupKeyStatus.Canonical;
    }

    private static LookupKeyStatus WriteNumber(int port, Span<byte> canonical, int at, out int length)
    {
        Utf8Formatter.TryFormat(port, canonical[at..], out var written);
        length = at + written;
        return LookupKeyStatus.Canonical;
    }

    // A name outside ASCII that does not fit the forms above may still mean a configured one; an ASCII name cannot.
    private static LookupKeyStatus Rejected(ReadOnlySpan<byte> raw) =>
        Ascii.IsValid(raw) ? LookupKeyStatus.NotADestination : LookupKeyStatus.Unmappable;
}

/// <summary>What <see cref="LookupKey.Normalize"/> made of the bytes Postfix sent.</summary>
public enum LookupKeyStatus
{
    /// <summary>The canonical form of something an entry could be configured for.</summary>
    Canonical,

    /// <summary>The key is none that <see cref="NextHop.TryParse"/> accepts, so provably not configured: "not found" is true.</summary>
    NotADestination,

    /// <summary>The key is a name outside ASCII that has no A-label form here. What was meant cannot be told: answer a temporary error.</summary>
    Unmappable,
}
