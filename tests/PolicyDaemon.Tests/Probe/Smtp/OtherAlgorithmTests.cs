using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Probe.Smtp;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Smtp;

/// <summary>What a server of TLS 1.3 says of its certificate of the other key algorithm where it refuses the handshake that asks for it.</summary>
public sealed class OtherAlgorithmTests
{
    private const byte HandshakeFailure = 40; // RFC 8446 section 6.2
    private const byte ProtocolVersion = 70;

    private static readonly X509Certificate2 Ecdsa = TestCertificates.Issued("mx.example");

    private readonly FakeTimeProvider time = new(TestCertificates.Now);

    [Theory]
    [InlineData(ProtocolVersion, 2)]
    // GnuTLS, and with it Exim, has the same word for a version that it does not speak as for suites that it does not take.
    [InlineData(HandshakeFailure, 3)]
    public async Task A_server_of_TLS_1_3_only_is_never_said_to_lack_one_whatever_its_alert(byte alert, int connections)
    {
        var polite = FakeSmtpConnection.Polite(() => Ecdsa, SslProtocols.Tls13);
        FakeSmtpServer? server = null;
        server = new FakeSmtpServer(async connection =>
        {
            if (server!.Connections == 1)
            {
                await polite(connection);
                return;
            }

            await connection.UpToStartTlsAsync();
            await connection.SendAsync("220 go\r\n");
            await connection.ReadOctetAsync();
            await connection.SendAsync([21, 3, 3, 0, 2, 2, alert]);
        });
        await using (server)
        {
            var seen = await ProbeAsync(server);

            Assert.Equal((connections, true, false), (server.Connections, seen.AskedBothAlgorithms, seen.SpeaksTls12));
            Assert.Empty(seen.Absent);
            Assert.Single(seen.Certificates);
        }
    }

    [Fact]
    public async Task A_server_with_one_certificate_that_takes_no_suite_of_the_second_handshake_speaks_TLS_1_2_and_lacks_the_other()
    {
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(
            () => Ecdsa, SslProtocols.Tls12 | SslProtocols.Tls13, options => options.CipherSuitesPolicy = new CipherSuitesPolicy(
                [TlsCipherSuite.TLS_AES_256_GCM_SHA384, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384])));

        var seen = await ProbeAsync(server);

        Assert.Equal((3, true), (server.Connections, seen.SpeaksTls12));
        Assert.Equal([KeyAlgorithm.Rsa], seen.Absent);
        Assert.Equal(2, server.Commands.Count(command => command == "QUIT"));
    }

    private Task<Observation> ProbeAsync(FakeSmtpServer server) =>
        new StartTlsProbe(new ProbeOptions { EhloName = "prober.example", PrivateAddresses = true, Roots = [TestCertificates.Root] }, time)
            .ProbeAsync(server.Target, true, TestContext.Current.CancellationToken);
}
