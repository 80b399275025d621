using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Probe.Smtp;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Smtp;

/// <summary>Servers whose TLS Postfix takes and .NET's own offer does not reach.</summary>
public sealed class TlsOfferTests
{
    private static readonly X509Certificate2 Ecdsa = TestCertificates.Issued("mx.example");
    private static readonly X509Certificate2 Rsa = TestCertificates.Create(["mx.example"], selfSigned: false, rsa: true);

    [Theory]
    [InlineData(TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA)]
    [InlineData(TlsCipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384)]
    [InlineData(TlsCipherSuite.TLS_RSA_WITH_CAMELLIA_128_CBC_SHA)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA)]
    public async Task A_suite_that_Postfix_offers_is_enough(TlsCipherSuite suite)
    {
        var seen = await ProbeAsync(Rsa, SslProtocols.Tls12, suite);

        Assert.Equal(ProbeOutcome.Secured, seen.Outcome);
        Assert.Equal(("TLSv1.2", suite.ToString()), (seen.Certificates[0].TlsVersion, seen.Certificates[0].Cipher));
        Assert.Equal(Rsa.RawData, seen.Certificates[0].Certificate.Der);
        Assert.Equal([KeyAlgorithm.Ecdsa], seen.Absent);
    }

    // SYSLIB0039, CA5397: the old versions are the point.
#pragma warning disable SYSLIB0039, CA5397
    [Theory]
    [InlineData(SslProtocols.Tls, "TLSv1")]
    [InlineData(SslProtocols.Tls11, "TLSv1.1")]
    public async Task An_old_version_shows_its_certificate_and_is_too_old_to_authenticate(SslProtocols version, string name)
    {
        var seen = await ProbeAsync(Ecdsa, version, TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA);

        Assert.Equal((ProbeOutcome.TlsTooOld, "validation-failure"), (seen.Outcome, seen.Outcome.ResultType()));
        Assert.Equal(name, seen.Certificates[0].TlsVersion);
        Assert.Equal(Ecdsa.RawData, seen.Certificates[0].Certificate.Der);
    }

    [Fact]
    public async Task An_old_version_without_a_signature_in_its_handshake_is_as_good_as_a_new_one()
    {
        var seen = await ProbeAsync(Rsa, SslProtocols.Tls, TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA);

        Assert.Equal((ProbeOutcome.Secured, "TLSv1"), (seen.Outcome, seen.Certificates[0].TlsVersion));
    }
#pragma warning restore SYSLIB0039, CA5397

    [Fact]
    public async Task A_server_that_shows_no_certificate_is_asked_again_and_found_out()
    {
        var seen = await ProbeAsync(Rsa, SslProtocols.Tls12, TlsCipherSuite.TLS_ECDH_anon_WITH_AES_128_CBC_SHA);

        Assert.Equal(ProbeOutcome.TlsAnonymous, seen.Outcome);
        Assert.Empty(seen.Certificates);
    }

    [Fact]
    public async Task A_suite_that_Postfix_does_not_offer_is_a_failed_handshake()
    {
        var seen = await ProbeAsync(Rsa, SslProtocols.Tls12, TlsCipherSuite.TLS_RSA_WITH_NULL_SHA256);

        Assert.Equal((ProbeOutcome.HandshakeFailed, ProbeStage.Handshake), (seen.Outcome, seen.Stage));
    }

    private static async Task<Observation> ProbeAsync(X509Certificate2 certificate, SslProtocols versions, TlsCipherSuite suite)
    {
        await using var server = new FakeSmtpServer(FakeSmtpConnection.Polite(() => certificate, versions, options =>
        {
            options.CipherSuitesPolicy = new CipherSuitesPolicy([suite]);
            // SYSLIB0040: OpenSSL's security level 0; a server of our own, on loopback.
#pragma warning disable SYSLIB0040
            options.EncryptionPolicy = EncryptionPolicy.AllowNoEncryption;
#pragma warning restore SYSLIB0040
        }));
        var options = new ProbeOptions { EhloName = "prober.example", PrivateAddresses = true, Roots = [TestCertificates.Root] };
        return await new StartTlsProbe(options, new FakeTimeProvider(TestCertificates.Now))
            .ProbeAsync(server.Target, bothAlgorithms: true, TestContext.Current.CancellationToken);
    }
}
