using System.Net;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Deliveries;

/// <summary>The names of which a certificate must have one, as Postfix hands them to OpenSSL (tls/tls_client.c, add_namechecks; SSL_add1_host).</summary>
/// <remarks>
/// <code>
/// mx.example.com   this name, or a wildcard for its first label
/// .example.com     any name below it, at any depth, and a wildcard there; not the name itself
/// 192.0.2.1        this address, as an address; OpenSSL keeps one of them, and where there are names beside it wants both
/// </code>
/// </remarks>
internal sealed class PeerNames
{
    private readonly List<string> hosts = [];
    private readonly IPAddress? address;

    public PeerNames(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (!IPAddress.TryParse(name, out var literal))
                hosts.Add(name);
            else
                address ??= literal;
        }
    }

    public bool Accept(ServerCertificate certificate) =>
        (hosts.Count > 0 || address is not null)
        && (hosts.Count == 0 || hosts.Exists(host => Covers(certificate, host)))
        && (address is null || certificate.Addresses.Contains(address));

    private static bool Covers(ServerCertificate certificate, string name) => name.StartsWith('.')
        ? certificate.Names.Any(own => own.EndsWith(name, StringComparison.OrdinalIgnoreCase) && own.Length > name.Length)
        : certificate.Covers(name);
}
