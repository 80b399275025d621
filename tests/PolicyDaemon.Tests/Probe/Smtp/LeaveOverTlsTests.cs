using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Probe.Smtp;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Smtp;

/// <summary>QUIT over TLS, also to a server that refuses EHLO there: without it, or with a reset behind it, the server logs a connection that was cut.</summary>
public sealed class LeaveOverTlsTests
{
    private static readonly X509Certificate2 Ecdsa = TestCertificates.Issued("mx.example");

    private readonly FakeTimeProvider time = new(TestCertificates.Now);

    [Theory]
    [InlineData("550 no\r\n", "550 no\r\n", SslProtocols.Tls12)]
    [InlineData("550 no\r\n", "550 no\r\n", SslProtocols.Tls13)]
    [InlineData("450-later,\r\n450 please\r\n", "450-later,\r\n450 please\r\n", SslProtocols.Tls13)]
    [InlineData("550 no\r\n", "550\r\n", SslProtocols.Tls13)]
    [InlineData("550 no\r\n", "250 mx.example\r\n", SslProtocols.Tls13)]
    public async Task A_server_that_has_answered_is_told_QUIT(string ehlo, string helo, SslProtocols version)
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await SecureAsync(connection, version);
            await connection.ReadCommandAsync();
            // Cut at every octet: a reply need not come in one piece.
            foreach (var octet in ehlo) await connection.SendAsync($"{octet}");
            await connection.ReadCommandAsync();
            foreach (var octet in helo) await connection.SendAsync($"{octet}");
            await connection.ReadCommandAsync();
            await connection.SendAsync("221 bye\r\n");
        });

        var seen = await ProbeAsync(server);

        Assert.Equal(ProbeOutcome.Secured, seen.Outcome);
        Assert.Equal(["EHLO prober.example", "HELO prober.example", "QUIT"], server.Commands.TakeLast(3));
        Assert.Contains("C: QUIT", seen.Transcript);
    }

    [Theory]
    [InlineData("421 closing\r\n")]
    [InlineData("550-no\r\n")]
    public async Task A_server_that_closes_or_has_not_answered_is_not(string helo)
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await SecureAsync(connection, SslProtocols.Tls13);
            await connection.ReadCommandAsync();
            await connection.SendAsync("550 no\r\n");
            await connection.ReadCommandAsync();
            await connection.SendAsync(helo);
        });

        var seen = await ProbeAsync(server);

        Assert.Equal(ProbeOutcome.Secured, seen.Outcome);
        Assert.Equal("HELO prober.example", server.Commands.Last());
    }

    [Fact]
    public async Task What_QUIT_is_not_answered_changes_nothing_of_what_was_seen()
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await SecureAsync(connection, SslProtocols.Tls13);
            await connection.ReadCommandAsync();
            await connection.SendAsync("550 no\r\n");
            await connection.ReadCommandAsync();
            await connection.SendAsync("550 no\r\n");
            Assert.Equal("QUIT\r", await connection.ReadCommandAsync());
            // Every deadline is over, also one that is set only after QUIT was sent.
            while (true)
            {
                time.Advance(TimeSpan.FromHours(1));
                await Task.Delay(5, connection.Stop);
            }
        });

        var seen = await ProbeAsync(server);

        Assert.Equal((ProbeOutcome.Secured, ProbeOutcome.EhloRefused), (seen.Outcome, seen.AfterHandshake));
    }

    [Fact]
    public async Task The_server_closes_first_and_what_it_still_sends_is_taken()
    {
        var wasReset = true;
        await using var server = new FakeSmtpServer(async connection =>
        {
            await SecureAsync(connection, SslProtocols.Tls13);
            await connection.ReadCommandAsync();
            await connection.SendAsync("250 mx.example\r\n");
            await connection.ReadCommandAsync();
            await connection.SendAsync("221 bye\r\n");
            // As the end of TLS, which a busy server sends a moment later. To a closed socket the second of them fails.
            for (var rest = 0; rest < 5; rest++)
            {
                await Task.Delay(5, connection.Stop);
                await connection.SendAsync("rest\r\n");
            }

            wasReset = false;
        });

        Assert.Equal(ProbeOutcome.Secured, (await ProbeAsync(server)).Outcome);
        Assert.False(wasReset);
    }

    [Fact]
    public async Task A_server_that_does_not_close_is_left()
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await SecureAsync(connection, SslProtocols.Tls13);
            await connection.ReadCommandAsync();
            await connection.SendAsync("250 mx.example\r\n");
            await connection.ReadCommandAsync();
            await connection.SendAsync("221 bye\r\n");
            while (true)
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                await Task.Delay(5, connection.Stop);
            }
        });

        Assert.Equal(ProbeOutcome.Secured, (await ProbeAsync(server)).Outcome);
    }

    private static async Task SecureAsync(FakeSmtpConnection connection, SslProtocols version)
    {
        await connection.UpToStartTlsAsync();
        await connection.SendAsync("220 go\r\n");
        await connection.HandshakeAsync(() => Ecdsa, version);
    }

    private Task<Observation> ProbeAsync(FakeSmtpServer server) =>
        new StartTlsProbe(new ProbeOptions { EhloName = "prober.example", PrivateAddresses = true, Roots = [TestCertificates.Root] }, time)
            .ProbeAsync(server.Target, false, TestContext.Current.CancellationToken);
}
