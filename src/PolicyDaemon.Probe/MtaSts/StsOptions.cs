using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.Probe.MtaSts;

/// <summary>How policy hosts are asked.</summary>
public sealed record StsOptions
{
    /// <summary>For everything behind the lookup: connection, TLS, headers, body.</summary>
    /// <remarks>RFC 8461 section 3.3 suggests a minute to an MTA with mail to send; here a person waits.</remarks>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Ask hosts on loopback, private or link-local addresses too.</summary>
    public bool PrivateAddresses { get; init; }

    /// <summary>Trust anchors; null: the system's.</summary>
    public X509Certificate2Collection? Roots { get; init; }

    /// <summary>RFC 8461 section 3.3 knows no other.</summary>
    public const int HttpsPort = 443;

    /// <summary>A test has a port of its own.</summary>
    public int Port { get; init; } = HttpsPort;
}
