using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>TLS to a server as Debian has it: its certificate is verified, and it asks for ours.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class PostgreSqlTlsTests : IDisposable
{
    private readonly string directory = PostgreSqlCluster.NewDirectory();
    private readonly List<PostgreSqlCluster> servers = [];

    public PostgreSqlTlsTests()
    {
        File.WriteAllText(Path.Combine(directory, "root.pem"), TestCertificates.Root.ExportCertificatePem());
        Write("client", TestCertificates.Issued("policydaemon"));
    }

    [Fact]
    public void Both_sides_show_certificates_and_verify_them()
    {
        var server = Start(TestCertificates.Create(["localhost"], selfSigned: false, notAfter: TestCertificates.Now.AddYears(4)));

        PolicyStore.Create(Words(server, ""), Actor.Daemon, TimeProvider.System).Dispose();

        using var store = PolicyStore.Open(Words(server, " sslmode=verify-full"), StoreAccess.Read, TimeProvider.System);
        Assert.Equal(1, store.Head().Sequence);
        Assert.Equal("TLSv1.3", server.Sql("SELECT version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'policydaemon'"));

        // A wrong file is named.
        Assert.Contains("/none.pem", Refused(Words(server, "").Replace("root.pem", "none.pem", StringComparison.Ordinal)).Message, StringComparison.Ordinal);
        // A certificate that none of the server's CAs issued; and none.
        Write("client", TestCertificates.SelfSigned("policydaemon"));
        var refused = Refused(Words(server, " application_name=again"));
        // The alert comes behind the handshake, and is lost where the connection is reset before it is read.
        Assert.Matches("the server refuses our certificate|it may have refused our certificate", refused.Message);
        var none = Refused(Words(server, "").Split(" sslcert")[0]);
        Assert.Equal(StoreFault.Permission, none.Kind);
        Assert.Contains("client certificate; name one with sslcert", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_is_not_who_it_should_be_is_said_to_be()
    {
        var server = Start(TestCertificates.Create(["db9.example"], selfSigned: false, notAfter: TestCertificates.Now.AddYears(4)));
        Assert.Contains("another name", Refused(Words(server, "")).Message, StringComparison.Ordinal);

        Reload(server, TestCertificates.Create(["localhost"], selfSigned: false, notBefore: TestCertificates.Now.AddYears(-2), notAfter: TestCertificates.Now.AddYears(-1)));
        Assert.Contains("has expired", Refused(Words(server, "")).Message, StringComparison.Ordinal);

        Reload(server, TestCertificates.Create(["localhost"], selfSigned: true, notAfter: TestCertificates.Now.AddYears(4)));
        Assert.Contains("no CA that is trusted", Refused(Words(server, "")).Message, StringComparison.Ordinal);
        Assert.Contains("no CA that is trusted", Refused(Words(server, " sslmode=verify-ca")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_is_not_that_of_the_certificate_is_told()
    {
        var server = Start(TestCertificates.Create(["localhost"], selfSigned: false, notAfter: TestCertificates.Now.AddYears(4)));
        File.Copy(Path.Combine(directory, "server.key"), Path.Combine(directory, "client.key"), overwrite: true);

        Assert.Contains("sslkey is not that of the certificate of sslcert", Refused(Words(server, "")).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        foreach (var server in servers)
            server.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static StoreException Refused(string store)
    {
        var refused = Assert.Throws<StoreException>(() => PolicyStore.Open(store, StoreAccess.Read, TimeProvider.System));
        TestContext.Current.TestOutputHelper?.WriteLine(refused.Message);
        return refused;
    }

    private string Words(PostgreSqlCluster server, string more) =>
        $"postgresql:host=localhost port={server.Port} dbname=postgres user=policydaemon sslrootcert={directory}/root.pem{more} sslcert={directory}/client.pem sslkey={directory}/client.key";

    private PostgreSqlCluster Start(X509Certificate2 certificate)
    {
        Write("server", certificate);
        PostgreSqlCluster.Own(directory);
        var server = new PostgreSqlCluster(
            ["ssl=on", $"ssl_cert_file={directory}/server.pem", $"ssl_key_file={directory}/server.key", $"ssl_ca_file={directory}/root.pem"],
            "hostssl all all 127.0.0.1/32 trust clientcert=verify-full\nhostssl all all ::1/128 trust clientcert=verify-full");
        servers.Add(server);
        server.Start().Sql("CREATE ROLE policydaemon LOGIN; GRANT ALL ON SCHEMA public TO policydaemon");
        return server;
    }

    private void Reload(PostgreSqlCluster server, X509Certificate2 certificate)
    {
        Write("server", certificate);
        PostgreSqlCluster.Own(directory);
        server.Stop();
        server.Start();
    }

    private void Write(string name, X509Certificate2 certificate)
    {
        File.WriteAllText(Path.Combine(directory, name + ".pem"), certificate.ExportCertificatePem());
        var key = Path.Combine(directory, name + ".key");
        File.WriteAllText(key, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
