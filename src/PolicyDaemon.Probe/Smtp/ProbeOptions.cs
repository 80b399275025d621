using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>Options of the SMTP dialogue with a mail server.</summary>
public sealed record ProbeOptions
{
    /// <summary>The name in EHLO: best Postfix's smtp_helo_name, so that a server treats the probe as it treats mail.</summary>
    public required string EhloName { get; init; }

    /// <summary>The time for connecting; Postfix: smtp_connect_timeout.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The time for the greeting and for each reply. Shorter than Postfix's 300 s: a probe has no mail to lose.</summary>
    public TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan QuitTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>True where loopback, private and link-local addresses are probed, too.</summary>
    public bool PrivateAddresses { get; init; }

    public IPAddress? SourceAddress { get; init; }

    public IPAddress? SourceAddress6 { get; init; }

    /// <summary>False where Postfix offers no TLS 1.3 (smtp_tls_protocols, smtp_tls_mandatory_protocols): then a probe offers none either.</summary>
    public bool SpeaksTls13 { get; init; } = true;

    /// <summary>The trust anchors of the WebPKI; null for those of the system.</summary>
    public X509Certificate2Collection? Roots { get; init; }
}
