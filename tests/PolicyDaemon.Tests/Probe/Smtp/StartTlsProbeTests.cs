using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Probe.Smtp;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Smtp;

public sealed class StartTlsProbeTests
{
    private static readonly X509Certificate2 Ecdsa = TestCertificates.Issued("mx.example", "*.mail.example");
    private static readonly X509Certificate2 Rsa = TestCertificates.Create(["mx.example"], selfSigned: false, rsa: true);

    private readonly FakeTimeProvider time = new(TestCertificates.Now);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_in_order_is_recorded_whole()
    {
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(Ecdsa));

        var seen = await ProbeAsync(server);

        Assert.Equal((ProbeOutcome.Secured, null), (seen.Outcome, seen.Detail));
        var presented = Assert.Single(seen.Certificates);
        Assert.Equal(Ecdsa.RawData, presented.Certificate.Der);
        Assert.Equal(
            Fingerprint.Compute(DigestAlgorithm.Sha256, Ecdsa.RawData),
            presented.Certificate.Digest(PinSubject.Certificate, DigestAlgorithm.Sha256));
        Assert.Equal(
            Fingerprint.Compute(DigestAlgorithm.Sha1, Ecdsa.PublicKey.ExportSubjectPublicKeyInfo()),
            presented.Certificate.Digest(PinSubject.PublicKey, DigestAlgorithm.Sha1));
        Assert.Equal(ChainVerdict.Trusted, presented.Chain);
        Assert.Equal("TLSv1.3", presented.TlsVersion);
        Assert.StartsWith("TLS_AES_", presented.Cipher, StringComparison.Ordinal);
        Assert.True(presented.Certificate.Covers("mx.example"));
        Assert.True(presented.Certificate.Covers("one.mail.example"));
        Assert.False(presented.Certificate.Covers("one.two.mail.example"));
        Assert.Equal((KeyAlgorithm.Ecdsa, 256), (presented.Certificate.Algorithm, presented.Certificate.KeyBits));
    }

    [Fact]
    public async Task The_dialogue_is_the_one_that_mail_would_have_and_ends_with_QUIT()
    {
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(Ecdsa));

        var seen = await ProbeAsync(server, both: false);

        Assert.Equal(["EHLO prober.example", "STARTTLS", "EHLO prober.example", "QUIT"], server.Commands);
        Assert.Equal(
            [
                ProbeStage.Connect, ProbeStage.Greeting, ProbeStage.Ehlo, ProbeStage.StartTls, ProbeStage.Handshake,
                ProbeStage.SecureEhlo, ProbeStage.Quit,
            ],
            seen.Timings.Select(timing => timing.Stage));
        Assert.Contains("S: 220 mx.example ESMTP", seen.Transcript);
        Assert.Contains("C: STARTTLS", seen.Transcript);
    }

    [Fact]
    public async Task Without_a_servername_policy_no_SNI_is_sent()
    {
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(Ecdsa));

        await ProbeAsync(server);

        Assert.All(server.ServerNames, Assert.Empty);
    }

    [Fact]
    public async Task A_servername_policy_is_sent_as_SNI()
    {
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(Ecdsa));

        await Probe().ProbeAsync(new ProbeTarget(server.Target.Address, server.Target.Port, "mx.example"), true, Cancellation);

        Assert.All(server.ServerNames, name => Assert.Equal("mx.example", name));
        Assert.NotEmpty(server.ServerNames);
    }

    [Fact]
    public async Task A_server_with_a_certificate_of_each_algorithm_shows_both_one_connection_at_a_time()
    {
        // With the RSA certificate the second handshake succeeds only where it offers RSA suites.
        var handshakes = 0;
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(
            () => Interlocked.Increment(ref handshakes) == 1 ? Ecdsa : Rsa));

        var seen = await ProbeAsync(server);

        Assert.Equal([KeyAlgorithm.Ecdsa, KeyAlgorithm.Rsa], seen.Certificates.Select(one => one.Certificate.Algorithm));
        Assert.Equal(Rsa.RawData, seen.Certificates[1].Certificate.Der);
        Assert.Equal(2, server.Connections);
        Assert.Equal(1, server.MostOpen);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_algorithm_that_a_server_lacks_is_recorded_as_absent(bool rsa)
    {
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(rsa ? Rsa : Ecdsa));

        var seen = await ProbeAsync(server);

        Assert.Equal(ProbeOutcome.Secured, seen.Outcome);
        Assert.Equal([rsa ? KeyAlgorithm.Ecdsa : KeyAlgorithm.Rsa], seen.Absent);
        Assert.True(seen.SpeaksTls12);
    }

    [Fact]
    public async Task A_server_with_one_certificate_has_no_failed_handshake_in_its_log_and_both_connections_take_leave()
    {
        foreach (var certificate in new[] { Rsa, Ecdsa })
        {
            await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(certificate));

            var seen = await ProbeAsync(server);

            Assert.True(seen.AskedBothAlgorithms);
            Assert.Single(seen.Absent);
            Assert.Equal(2, server.Connections);
            Assert.Equal(2, server.Commands.Count(command => command == "QUIT"));
        }
    }

    [Theory]
    [InlineData("250 mx.example\r\n", ProbeOutcome.StartTlsNotSupported)]
    [InlineData("554 not you\r\n", ProbeOutcome.EhloRefused)]
    [InlineData("451 later\r\n", ProbeOutcome.GreetingTemporary)]
    [InlineData("250-mx.example\r\n250 STARTTLS\r\n", ProbeOutcome.StartTlsRefused)]
    public async Task Where_the_dialogue_ends_in_the_clear_the_probe_takes_leave(string ehlo, ProbeOutcome outcome)
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.SendAsync("220 mx.example ESMTP\r\n");
            while (await connection.ReadCommandAsync() is { } command)
            {
                if (command.StartsWith("QUIT", StringComparison.Ordinal))
                {
                    await connection.SendAsync("221 bye\r\n");
                    return;
                }

                await connection.SendAsync(command.StartsWith("STARTTLS", StringComparison.Ordinal) ? "454 no TLS now\r\n" : ehlo);
            }
        });

        var seen = await ProbeAsync(server);

        Assert.Equal(outcome, seen.Outcome);
        Assert.Equal("QUIT", server.Commands.Last());
        Assert.Equal(["C: QUIT", "S: 221 bye"], seen.Transcript.TakeLast(2));
    }

    [Fact]
    public async Task A_greeting_that_refuses_is_answered_with_leave_too()
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.SendAsync("554 go away\r\n");
            await connection.ReadCommandAsync();
        });

        Assert.Equal(ProbeOutcome.GreetingPermanent, (await ProbeAsync(server)).Outcome);
        Assert.Equal(["QUIT"], server.Commands);
    }

    [Fact]
    public async Task A_server_of_TLS_1_3_only_is_not_said_to_lack_the_other_algorithm()
    {
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(() => Ecdsa, SslProtocols.Tls13));

        var seen = await ProbeAsync(server);

        Assert.Equal(ProbeOutcome.Secured, seen.Outcome);
        Assert.Empty(seen.Absent);
        Assert.False(seen.SpeaksTls12);
    }

    [Fact]
    public async Task A_renewed_certificate_is_seen_at_the_next_probe_although_the_server_would_resume()
    {
        var renewed = TestCertificates.Issued("mx.example");
        var certificate = Ecdsa;
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(() => certificate));
        var probe = Probe();

        var before = await probe.ProbeAsync(server.Target, false, Cancellation);
        certificate = renewed;
        time.Advance(TimeSpan.FromHours(1));
        var after = await probe.ProbeAsync(server.Target, false, Cancellation);

        Assert.Equal(Ecdsa.RawData, before.Certificates[0].Certificate.Der);
        Assert.Equal(renewed.RawData, after.Certificates[0].Certificate.Der);
    }

    [Fact]
    public async Task A_self_signed_certificate_is_seen_and_not_trusted()
    {
        using var certificate = TestCertificates.SelfSigned("mx.example");
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(certificate));

        var seen = await ProbeAsync(server);

        Assert.Equal(ProbeOutcome.Secured, seen.Outcome);
        Assert.Equal(ChainVerdict.NotTrusted, seen.Certificates[0].Chain);
        Assert.NotNull(seen.Certificates[0].ChainDetail);
    }

    [Fact]
    public async Task An_expired_certificate_is_seen_and_expired()
    {
        using var certificate = TestCertificates.Create(["mx.example"], selfSigned: false, notAfter: TestCertificates.Now.AddDays(-1));
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(certificate));

        var seen = await ProbeAsync(server);

        Assert.Equal(ProbeOutcome.Secured, seen.Outcome);
        Assert.Equal(ChainVerdict.Expired, seen.Certificates[0].Chain);
    }

    [Fact]
    public async Task Expiry_follows_the_clock_that_was_injected()
    {
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(Ecdsa));
        time.Advance(TimeSpan.FromDays(101));

        Assert.Equal(ChainVerdict.Expired, (await ProbeAsync(server)).Certificates[0].Chain);
    }

    [Fact]
    public async Task Two_hundred_names_are_read()
    {
        using var certificate = TestCertificates.Issued([.. Enumerable.Range(0, 200).Select(i => $"mx{i}.example")]);
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(certificate));

        var seen = await ProbeAsync(server);

        Assert.Equal(200, seen.Certificates[0].Certificate.Names.Length);
        Assert.True(seen.Certificates[0].Certificate.Covers("mx199.example"));
    }

    [Fact]
    public async Task The_chain_that_a_server_sends_downloads_nothing()
    {
        using var web = new TcpListener(IPAddress.Loopback, 0);
        web.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)web.LocalEndpoint).Port}/";
        using var certificate = TestCertificates.Create(
            ["mx.example"], selfSigned: false, extensions:
            [
                new X509AuthorityInformationAccessExtension([url + "ocsp"], [url + "ca.der"]),
                CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([url + "list.crl"]),
            ]);
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(certificate));

        // No root at all: a chain builder that downloads would go looking for the issuer.
        var seen = await ProbeAsync(server, options => options with { Roots = [] });

        Assert.Equal(ProbeOutcome.Secured, seen.Outcome);
        Assert.False(web.Pending());
    }

    [Theory]
    [InlineData("2.5.29.36", new byte[] { 0x30, 0x03, 0x80, 0x01, 0x00 }, true, ChainVerdict.Trusted, null)] // requireExplicitPolicy, and no policy
    [InlineData("2.5.29.37", new byte[] { 0x30, 0x06, 0x06, 0x04, 0x55, 0x1D, 0x25, 0x00 }, false, ChainVerdict.NotTrusted, "has no serverAuth")] // any purpose
    [InlineData("2.5.29.37", new byte[] { 0x30, 0x0C, 0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x0A, 0x03, 0x03 }, false, ChainVerdict.Trusted, null)]
    public async Task A_chain_is_judged_for_its_purpose_as_OpenSSL_does_and_not_for_policies_of_issuance(
        string oid, byte[] extension, bool isCritical, ChainVerdict verdict, string? detail)
    {
        using var certificate = TestCertificates.Create(["mx.example"], selfSigned: false, extensions: [new X509Extension(oid, extension, isCritical)]);
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(certificate));

        var presented = Assert.Single((await ProbeAsync(server, both: false)).Certificates);

        Assert.Equal(verdict, presented.Chain);
        Assert.Contains(detail ?? "", presented.ChainDetail ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_on_IPv6_is_probed()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "no IPv6 on this machine");
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(Ecdsa), IPAddress.IPv6Loopback);

        Assert.Equal(ProbeOutcome.Secured, (await ProbeAsync(server)).Outcome);
    }

    [Fact]
    public async Task A_refused_connection_is_one()
    {
        ProbeTarget target;
        await using (var server = new FakeSmtpServer(connection => connection.HangAsync()))
            target = server.Target;

        var seen = await Probe().ProbeAsync(target, true, Cancellation);

        Assert.Equal((ProbeOutcome.ConnectionRefused, ProbeStage.Connect), (seen.Outcome, seen.Stage));
    }

    [Fact]
    public async Task A_private_address_is_not_connected_to_unless_configured()
    {
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(Ecdsa));

        var seen = await ProbeAsync(server, options => options with { PrivateAddresses = false });

        Assert.Equal(ProbeOutcome.AddressNotAllowed, seen.Outcome);
        Assert.Equal(0, server.Connections);
    }

    [Theory]
    [InlineData("450 4.7.1 greylisted, come back\r\n", ProbeOutcome.GreetingTemporary, ProbeStage.Greeting, 450)]
    [InlineData("421 too many connections\r\n", ProbeOutcome.GreetingTemporary, ProbeStage.Greeting, 421)]
    [InlineData("554 no service here\r\n", ProbeOutcome.GreetingPermanent, ProbeStage.Greeting, 554)]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", ProbeOutcome.ProtocolError, ProbeStage.Greeting, null)]
    [InlineData("", ProbeOutcome.ConnectionLost, ProbeStage.Greeting, null)]
    public async Task A_greeting_that_refuses_is_an_outcome(string greeting, ProbeOutcome outcome, ProbeStage stage, int? code)
    {
        await using var server = new FakeSmtpServer(connection => connection.SendAsync(greeting));

        var seen = await ProbeAsync(server);

        Assert.Equal((outcome, stage, code), (seen.Outcome, seen.Stage, seen.ReplyCode));
        Assert.Empty(seen.Certificates);
    }

    [Theory]
    [InlineData("250 mx.example\r\n", ProbeOutcome.StartTlsNotSupported)]
    [InlineData("250-mx.example\r\n250-SIZE\r\n250 PIPELINING\r\n", ProbeOutcome.StartTlsNotSupported)]
    [InlineData("450 4.7.1 greylisted\r\n", ProbeOutcome.GreetingTemporary)]
    [InlineData("421 closing\r\n", ProbeOutcome.GreetingTemporary)]
    [InlineData("what?\r\n", ProbeOutcome.ProtocolError)]
    [InlineData("", ProbeOutcome.ConnectionLost)]
    public async Task A_reply_to_EHLO_without_STARTTLS_is_an_outcome(string reply, ProbeOutcome outcome)
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.SendAsync("220 mx.example ESMTP\r\n");
            await connection.ReadCommandAsync();
            await connection.SendAsync(reply);
        });

        var seen = await ProbeAsync(server);

        Assert.Equal((outcome, ProbeStage.Ehlo), (seen.Outcome, seen.Stage));
    }

    [Fact]
    public async Task A_server_that_knows_HELO_only_has_no_STARTTLS()
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.SendAsync("220 mx.example\r\n");
            await connection.ReadCommandAsync();
            await connection.SendAsync("502 unknown\r\n");
            await connection.ReadCommandAsync();
            await connection.SendAsync("250 mx.example\r\n");
            await connection.ReadCommandAsync();
        });

        Assert.Equal(ProbeOutcome.StartTlsNotSupported, (await ProbeAsync(server)).Outcome);
    }

    [Theory]
    [InlineData("450 later\r\n", "250 mx.example\r\n", ProbeOutcome.StartTlsNotSupported)]
    [InlineData("450 later\r\n", "450 later\r\n", ProbeOutcome.GreetingTemporary)]
    [InlineData("550 no\r\n", "550 no\r\n", ProbeOutcome.EhloRefused)]
    [InlineData("421 later\r\n", "250 mx.example\r\n", ProbeOutcome.GreetingTemporary)]
    public async Task What_HELO_is_answered_counts_where_EHLO_is_refused(string ehlo, string helo, ProbeOutcome outcome)
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.SendAsync("220 mx.example\r\n");
            await connection.ReadCommandAsync();
            await connection.SendAsync(ehlo);
            await connection.ReadCommandAsync();
            await connection.SendAsync(helo);
            await connection.ReadCommandAsync();
        });

        Assert.Equal(outcome, (await ProbeAsync(server)).Outcome);
    }

    [Theory]
    [InlineData("hello there\r\n220 mx.example ESMTP\r\n", "250-mx.example\r\n250 STARTTLS\r\n", "220 go\r\n")]
    [InlineData("220 mx.example\r\n", "250-mx.example\r\n250 starttls required\r\n", "220 go\r\n")]
    [InlineData("220 mx.example\r\n", "250-mx.example\r\n250 STARTTLS\r\n", "250 go\r\n")]
    public async Task What_Postfix_bears_with_is_borne_with(string greeting, string ehlo, string startTls)
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.SendAsync(greeting);
            await connection.ReadCommandAsync();
            await connection.SendAsync(ehlo);
            await connection.ReadCommandAsync();
            await connection.SendAsync(startTls);
            await connection.HandshakeAsync(() => Ecdsa, SslProtocols.Tls13);
            await connection.ReadCommandAsync();
            await connection.SendAsync("250 mx.example\r\n");
            await connection.ReadCommandAsync();
        });

        Assert.Equal(ProbeOutcome.Secured, (await ProbeAsync(server, both: false)).Outcome);
    }

    [Theory]
    [InlineData("250 mx.example\r\n", "221 bye\r\n", ProbeOutcome.Secured)]
    [InlineData("550 no\r\n", "250 mx.example\r\n", ProbeOutcome.Secured)]
    [InlineData("550 no\r\n", "550 no\r\n", ProbeOutcome.EhloRefused)]
    [InlineData("450 later\r\n", "450 later\r\n", ProbeOutcome.GreetingTemporary)]
    [InlineData("421 later\r\n", "250 mx.example\r\n", ProbeOutcome.GreetingTemporary)]
    [InlineData("", "", ProbeOutcome.ConnectionLost)]
    public async Task What_comes_after_the_handshake_is_recorded_beside_the_certificate(string ehlo, string helo, ProbeOutcome after)
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.UpToStartTlsAsync();
            await connection.SendAsync("220 go\r\n");
            await connection.HandshakeAsync(() => Ecdsa, SslProtocols.Tls12);
            await connection.ReadCommandAsync();
            if (ehlo.Length == 0)
                return;
            await connection.SendAsync(ehlo);
            await connection.ReadCommandAsync();
            await connection.SendAsync(helo);
            if (!helo.StartsWith("221", StringComparison.Ordinal))
                await connection.ReadCommandAsync();
        });

        var seen = await ProbeAsync(server, both: false);

        Assert.Equal((ProbeOutcome.Secured, after), (seen.Outcome, seen.AfterHandshake));
        Assert.Single(seen.Certificates);
    }

    [Theory]
    [InlineData("454 TLS not available\r\n", true, ProbeOutcome.StartTlsRefused, 454)]
    [InlineData("554 no\r\n", true, ProbeOutcome.StartTlsRefused, 554)]
    [InlineData("454 TLS not available\r\n", false, ProbeOutcome.ConnectionLost, 454)]
    [InlineData("554 no\r\n", false, ProbeOutcome.ConnectionLost, 554)]
    [InlineData("421 closing\r\n", false, ProbeOutcome.ConnectionLost, 421)]
    [InlineData("", false, ProbeOutcome.ConnectionLost, 250)]
    [InlineData("220 go\r\n", false, ProbeOutcome.ConnectionLost, 220)]
    public async Task A_reply_to_STARTTLS_that_refuses_is_an_outcome_and_whether_the_server_stays(string reply, bool stays, ProbeOutcome outcome, int code)
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.UpToStartTlsAsync();
            await connection.SendAsync(reply);
            if (!stays)
                return;
            await connection.ReadCommandAsync();
            await connection.SendAsync("221 bye\r\n");
        });

        var seen = await ProbeAsync(server);

        Assert.Equal((outcome, code), (seen.Outcome, seen.ReplyCode));
    }

    [Fact]
    public async Task What_QUIT_is_not_answered_changes_nothing_of_the_refusal_before_it()
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.UpToStartTlsAsync();
            await connection.SendAsync("454 TLS not available\r\n");
            Assert.Equal("QUIT\r", await connection.ReadCommandAsync());
            time.Advance(TimeSpan.FromHours(1)); // every deadline is over
            await connection.HangAsync();
        });

        Assert.Equal(ProbeOutcome.StartTlsRefused, (await ProbeAsync(server)).Outcome);
    }

    [Fact]
    public async Task Garbage_instead_of_a_handshake_is_a_handshake_failure()
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.UpToStartTlsAsync();
            await connection.SendAsync("220 go ahead\r\n");
            await connection.ReadOctetAsync(); // the prober has begun its handshake
            await connection.SendAsync("250 what was that?\r\n");
            await connection.HangAsync();
        });

        Assert.Equal(ProbeOutcome.HandshakeFailed, (await ProbeAsync(server)).Outcome);
    }

    [Fact]
    public async Task Plain_text_behind_the_reply_to_STARTTLS_is_seen_and_never_reaches_TLS()
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.UpToStartTlsAsync();
            await connection.SendAsync("220 go ahead\r\n250-injected\r\n250 STARTTLS\r\n");
            await connection.HandshakeAsync(() => Ecdsa, SslProtocols.Tls13);
            await connection.ReadCommandAsync();
            await connection.SendAsync("250 mx.example\r\n");
            await connection.ReadCommandAsync();
        });

        var seen = await ProbeAsync(server);

        Assert.Equal(ProbeOutcome.PlaintextInjected, seen.Outcome);
        Assert.Equal("validation-failure", seen.Outcome.ResultType());
        Assert.Single(seen.Certificates);
        Assert.Equal(1, server.Connections);
    }

    [Fact]
    public async Task A_banner_of_a_mebibyte_ends_the_dialogue_early()
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.SendAsync("220 " + new string('x', 1024 * 1024) + "\r\n");
            await connection.ReadCommandAsync();
        });

        var seen = await ProbeAsync(server);

        Assert.Equal(ProbeOutcome.ReplyTooLong, seen.Outcome);
        Assert.True(seen.Detail!.Length < 400);
    }

    [Fact]
    public async Task A_reply_without_an_end_ends_the_dialogue()
    {
        await using var server = new FakeSmtpServer(async connection =>
        {
            await connection.SendAsync("220 mx.example\r\n");
            await connection.ReadCommandAsync();
            while (true)
                await connection.SendAsync("250-" + new string('y', 500) + "\r\n");
        });

        Assert.Equal(ProbeOutcome.ReplyTooLong, (await ProbeAsync(server)).Outcome);
    }

    [Fact]
    public async Task Control_characters_of_a_peer_are_escaped()
    {
        await using var server = new FakeSmtpServer(connection => connection.SendAsync("554 \u001b[31mred\u0007\r\n"));

        var seen = await ProbeAsync(server);

        Assert.Equal(@"554 \x1b[31mred\x07", seen.Detail);
        Assert.All(seen.Transcript, line => Assert.DoesNotContain(line, char.IsControl));
    }

    [Theory]
    [InlineData(ProbeStage.Greeting)]
    [InlineData(ProbeStage.Ehlo)]
    [InlineData(ProbeStage.StartTls)]
    [InlineData(ProbeStage.Handshake)]
    [InlineData(ProbeStage.SecureEhlo)]
    public async Task A_tarpit_ends_at_the_deadline_of_its_stage(ProbeStage stage)
    {
        using var steps = new StepTime(TestCertificates.Now);
        await using var server = new FakeSmtpServer(async connection =>
        {
            if (stage > ProbeStage.Greeting)
                await connection.SendAsync("220 mx.example\r\n");
            if (stage > ProbeStage.Ehlo)
            {
                await connection.ReadCommandAsync();
                await connection.SendAsync("250-mx.example\r\n250 STARTTLS\r\n");
            }

            if (stage > ProbeStage.StartTls)
            {
                await connection.ReadCommandAsync();
                await connection.SendAsync("220 go\r\n");
            }

            if (stage > ProbeStage.Handshake)
                await connection.HandshakeAsync(() => Ecdsa, SslProtocols.Tls13);
            await connection.HangAsync();
        });
        var probe = new StartTlsProbe(Options, steps);

        var running = probe.ProbeAsync(server.Target, false, Cancellation);
        await steps.WhenSetAsync((int)stage + 1, Cancellation);
        Assert.False(running.IsCompleted);
        steps.Advance(Options.ReplyTimeout);
        var seen = await running;

        // A certificate that was seen stays seen, however the server behaves afterwards.
        Assert.Equal(stage == ProbeStage.SecureEhlo ? ProbeOutcome.Secured : ProbeOutcome.Timeout, seen.Outcome);
        Assert.Equal(stage, seen.Stage);
        Assert.Equal(stage == ProbeStage.SecureEhlo ? 1 : 0, seen.Certificates.Length);
    }

    [Fact]
    public async Task The_caller_can_stop_a_probe()
    {
        await using var server = new FakeSmtpServer(connection => connection.HangAsync());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        var running = Probe().ProbeAsync(server.Target, true, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static ProbeOptions Options { get; } = new()
    {
        EhloName = "prober.example",
        PrivateAddresses = true,
        Roots = [TestCertificates.Root],
    };

    private StartTlsProbe Probe(Func<ProbeOptions, ProbeOptions>? change = null) =>
        new(change is null ? Options : change(Options), time);

    private Task<Observation> ProbeAsync(FakeSmtpServer server, Func<ProbeOptions, ProbeOptions>? change = null, bool both = true) =>
        Probe(change).ProbeAsync(server.Target, both, Cancellation);
}
