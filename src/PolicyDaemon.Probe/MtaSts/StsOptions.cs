using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.Probe.MtaSts;

/// <summary>How policy hosts are asked.</summary>
public sealed record StsOptions
{
    /// <summary>For everything behind the lookup: connection, TLS, headers, body. RFC 8461 section 3.3 suggests a minute.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>For each address, so that one that drops packets leaves time for the next.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How old a shared answer about a policy host may be.</summary>
    public TimeSpan OldestAnswer { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Ask hosts on loopback, private or link-local addresses too.</summary>
    public bool PrivateAddresses { get; init; }

    /// <summary>Trust anchors; null: the system's.</summary>
    public X509Certificate2Collection? Roots { get; init; }

    /// <summary>RFC 8461 section 3.3 knows no other.</summary>
    public const int HttpsPort = 443;

    /// <summary>A test has a port of its own.</summary>
    public int Port { get; init; } = HttpsPort;
}
