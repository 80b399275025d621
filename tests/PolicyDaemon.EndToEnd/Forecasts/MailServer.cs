using System.Net;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>A mail server as mail-servers.py makes it; the file says what each member means.</summary>
internal sealed record MailServer
{
    private const string Name = "scripted.test";

    public string[] Addresses { get; init; } = [];

    public int Port { get; init; } = 25;

    public string[]? Greeting { get; init; } = [$"220 {Name} ESMTP"];

    public string[] Ehlo { get; init; } = [$"250-{Name}", "250-SIZE 10240000", "250 STARTTLS"];

    public string[] Helo { get; init; } = [$"250 {Name}"];

    public string[] EhloTls { get; init; } = [$"250-{Name}", "250 SIZE 10240000"];

    public string? Starttls { get; init; } = "220 2.0.0 go ahead";

    public string? Behind { get; init; }

    public string Handshake { get; init; } = "tls";

    public string? Mail { get; init; }

    public string Newline { get; init; } = "\r\n";

    public ServerTls? Tls { get; init; }

    /// <summary>A server with this certificate, or with several of different algorithms.</summary>
    public static MailServer With(params ServedCertificate[] certificates) => new() { Tls = new ServerTls { Certificates = certificates } };

    /// <summary>A server that does not offer STARTTLS.</summary>
    public static MailServer WithoutTls() => new() { Ehlo = [$"250-{Name}", "250 SIZE 10240000"] };

    /// <summary>The same with other TLS.</summary>
    public MailServer Speaking(Func<ServerTls, ServerTls> change) => this with { Tls = change(Tls ?? new ServerTls()) };

    /// <summary>The same at these addresses.</summary>
    public MailServer At(IEnumerable<IPAddress> addresses) => this with { Addresses = [.. addresses.Select(address => address.ToString())] };
}

/// <summary>How a server speaks TLS.</summary>
internal sealed record ServerTls
{
    public IReadOnlyList<ServedCertificate> Certificates { get; init; } = [];

    public string? Minimum { get; init; }

    public string? Maximum { get; init; }

    public string? Ciphers { get; init; }

    /// <summary>The one group for ECDHE.</summary>
    public string? Curve { get; init; }

    /// <summary>A file with Diffie-Hellman parameters.</summary>
    public string? Dh { get; init; }

    /// <summary>Whether a client certificate is asked for: none, ask or require.</summary>
    public string Client { get; init; } = "none";

    /// <summary>The certificates shown for a name that the client sends.</summary>
    public IReadOnlyDictionary<string, ServedCertificate> Sni { get; init; } = new Dictionary<string, ServedCertificate>();

    /// <summary>Whether any other name, or none, ends the handshake.</summary>
    public bool SniOnly { get; init; }

    /// <summary>Seconds before the handshake.</summary>
    public double Delay { get; init; }

    /// <summary>Options of OpenSSL by their names in Python's ssl.</summary>
    public string[] Options { get; init; } = [];

    /// <summary>TLS of one version only.</summary>
    public ServerTls Only(string version) => this with { Minimum = version, Maximum = version };
}
