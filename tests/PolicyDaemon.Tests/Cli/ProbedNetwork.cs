using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Cli;

/// <summary>A resolver and mail servers on loopback, and a session of policyctl that is configured for them.</summary>
internal sealed class ProbedNetwork : IAsyncDisposable
{
    private const int Txt = 16;

    private readonly List<FakeSmtpServer> servers = [];

    /// <param name="trusted">The resolver is marked trusted, and validates.</param>
    public ProbedNetwork(bool trusted = false, string postfix = "", bool init = true)
    {
        Dns.AddHost("secure.test", authentic: true, "192.0.2.1");
        Dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Bogus = true });
        Session = new CliSession(postfix, init, probe: $"""
            resolver = {Dns.EndPoint}
            resolver_trusted = {(trusted ? "yes" : "no")}
            dnssec_test_secure = secure.test
            dnssec_test_bogus = bogus.test
            private_addresses = yes
            helo_name = me.test
            address_spacing = 0s
            provider_spacing = 0s
            """);
        // The built-in roots do not know the test's own authority.
        var roots = Session.Write("roots.pem", TestCertificates.Root.ExportCertificatePem());
        File.WriteAllText(Session.Config, File.ReadAllText(Session.Config).Replace("[probe]\n", $"[probe]\nca_file = {roots}\n", StringComparison.Ordinal));
    }

    public FakeDnsServer Dns { get; } = new();

    public CliSession Session { get; }

    /// <summary>The port of every server.</summary>
    public int Port { get; private set; }

    /// <summary>A domain whose MX host is on these addresses, and the key under which it is reached.</summary>
    public string Domain(string name, string host, bool secure, params string[] addresses)
    {
        Dns.AddMx(name, 10, host, secure);
        Dns.AddHost(host, secure, addresses);
        return $"{name}:{Port}";
    }

    /// <summary>A well-behaved server; the certificate is asked for at each handshake.</summary>
    public FakeSmtpServer Serve(Func<X509Certificate2> certificate, string address = "127.0.0.1") =>
        Serve(FakeSmtpConnection.Polite(certificate), address);

    public FakeSmtpServer Serve(X509Certificate2 certificate, string address = "127.0.0.1") => Serve(() => certificate, address);

    public FakeSmtpServer Serve(Func<FakeSmtpConnection, Task> script, string address = "127.0.0.1")
    {
        var server = new FakeSmtpServer(script, IPAddress.Parse(address), Port);
        Port = server.Target.Port;
        servers.Add(server);
        return server;
    }

    public void Tlsa(string host, X509Certificate2 certificate, bool secure = true) =>
        Dns.Add($"_{Port}._tcp.{host}", FakeDnsServer.Tlsa, [3, 1, 1, .. Convert.FromHexString(KeyPin(certificate))], secure);

    public void Text(string name, string text) => Dns.Add(name, Txt, [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)]);

    public static string KeyPin(X509Certificate2 certificate) => Seen(certificate).Digest(PinSubject.PublicKey, DigestAlgorithm.Sha256).Hex;

    public static string CertificatePin(X509Certificate2 certificate) => Seen(certificate).Digest(PinSubject.Certificate, DigestAlgorithm.Sha256).Hex;

    public static ServerCertificate Seen(X509Certificate2 certificate) => ServerCertificate.TryParse(certificate.RawData)!;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers)
            await server.DisposeAsync();
        await Dns.DisposeAsync();
        Session.Dispose();
    }
}
