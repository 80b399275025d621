using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>The SNI name that Postfix would send.</summary>
public static class SniPolicy
{
    /// <param name="serverName">The <c>servername</c> attribute: a name, <c>hostname</c> or <c>nexthop</c>; null where there is none.</param>
    /// <param name="nextHop">The destination.</param>
    /// <param name="host">The MX host.</param>
    /// <param name="isDane">The level is <c>dane</c> or <c>dane-only</c>.</param>
    /// <returns>The name; null where Postfix sends none, which is its default.</returns>
    public static string? For(string? serverName, NextHop nextHop, MxHost host, bool isDane)
    {
        ArgumentNullException.ThrowIfNull(host);
        // RFC 7672 section 8.1, and postconf(5), smtp_tls_servername: with DANE records the TLSA base domain, whatever else is set.
        var name = isDane && host.TlsaDnssec == DnssecStatus.Secure && !host.Tlsa.IsEmpty
            ? host.TlsaBase
            : serverName switch
            {
                null or "" => null,
                ServerNames.HostName => host.Name,
                ServerNames.NextHop => nextHop.Host,
                _ => serverName,
            };
        // RFC 6066 section 3: no literal addresses.
        return name is null || IPAddress.TryParse(name, out _) ? null : name;
    }
}
