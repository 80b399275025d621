namespace PolicyDaemon.Probe.Dns;

/// <summary>How much of an answer we follow. Zones are written by others.</summary>
internal static class DnsLimits
{
    /// <summary>MX hosts of one domain, the best first. Postfix tries at most five addresses (smtp_mx_address_limit).</summary>
    public const int MxHosts = 20;

    /// <summary>Addresses of one MX host, of each family.</summary>
    public const int Addresses = 16;

    public const int TlsaRecords = 32;

    /// <summary>Links of a chain of CNAME records.</summary>
    public const int Aliases = 8;
}
