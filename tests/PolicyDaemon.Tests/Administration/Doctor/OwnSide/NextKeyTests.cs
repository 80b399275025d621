using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Administration.Doctor.OwnSide;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Probe.Smtp;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Doctor.OwnSide;

public sealed class NextKeyTests : IDisposable
{
    private readonly OwnFiles files = new();

    [Fact]
    public void The_next_certificate_is_announced_with_both_fingerprints_and_its_TLSA_record()
    {
        var certificate = OwnFiles.Certificate(80);
        var key = OwnKey.OfFile(PemFile.Read(files.Write("next.pem", OwnFiles.Pem(certificate))))!;

        Assert.Equal(ProbedNetwork.KeyPin(certificate), key.KeyFingerprint(DigestAlgorithm.Sha256).Hex);
        Assert.Equal(ProbedNetwork.CertificatePin(certificate), key.CertificateFingerprint(DigestAlgorithm.Sha256)!.Value.Hex);
        Assert.Equal($"3 1 1 {ProbedNetwork.KeyPin(certificate)}", key.Tlsa.ToString());
        Assert.Equal(40, key.KeyFingerprint(DigestAlgorithm.Sha1).Hex.Length);
    }

    [Fact]
    public void A_next_key_without_a_certificate_has_one_fingerprint()
    {
        var certificate = OwnFiles.Certificate(80);
        var key = OwnKey.OfFile(PemFile.Read(files.Write("next.key", OwnFiles.Key(certificate))))!;

        Assert.Null(key.CertificateFingerprint(DigestAlgorithm.Sha256));
        Assert.Equal(ProbedNetwork.KeyPin(certificate), key.KeyFingerprint(DigestAlgorithm.Sha256).Hex);
        Assert.Equal(DoctorSeverity.Ok, Judge("next.key").Severity);
    }

    [Fact]
    public void What_main_cf_and_the_MX_host_have_alike_is_told_once()
    {
        var certificate = OwnFiles.Certificate(80);
        var file = PemFile.Read(files.Write("now.pem", OwnFiles.Pem(certificate)));

        var keys = OwnKey.Of([new OwnIdentity("smtpd_tls_cert_file", "smtpd_tls_key_file", file, file)], [("mx.example.com", ProbedNetwork.Seen(certificate))], []);

        Assert.Equal(("now", files.Path("now.pem")), (Assert.Single(keys).Use, keys[0].Source));
    }

    [Theory]
    [InlineData(80, "mx.example.com", DoctorSeverity.Ok)]
    [InlineData(20, "mx.example.com", DoctorSeverity.Warning)]
    [InlineData(80, "mx2.example.com", DoctorSeverity.Warning)]
    public void A_next_certificate_must_last_and_be_for_our_MX_hosts(int days, string host, DoctorSeverity expected)
    {
        files.Write("next.pem", OwnFiles.Pem(OwnFiles.Certificate(days)));

        Assert.Equal(expected, Judge("next.pem", host).Severity);
    }

    [Fact]
    public void A_renewal_with_the_same_key_leaves_pins_of_the_key_as_they_are()
    {
        var certificate = OwnFiles.Certificate(80);
        var file = PemFile.Read(files.Write("now.pem", OwnFiles.Pem(certificate)));

        Assert.Contains("keeps the key in use", Assert.Single(NextKeyCheck.Judge([file], [new OwnIdentity("a", "b", file, file)], [], _ => null, TestCertificates.Now)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false, DoctorSeverity.Ok)]
    [InlineData(true, false, DoctorSeverity.Warning)]
    [InlineData(true, true, DoctorSeverity.Note)]
    public void A_chain_that_is_less_than_the_one_in_use_is_a_warning(bool isSelfSigned, bool isSelfSignedNow, DoctorSeverity expected)
    {
        var now = PemFile.Read(files.Write("now.pem", OwnFiles.Pem(OwnFiles.Certificate(80, isSelfSignedNow))));
        var next = PemFile.Read(files.Write("next.pem", OwnFiles.Pem(OwnFiles.Certificate(80, isSelfSigned))));
        var options = new ProbeOptions { EhloName = "here.test", Roots = [TestCertificates.Root] };

        var finding = Assert.Single(NextKeyCheck.Judge(
            [next], [new OwnIdentity("a", "b", now, now)], ["mx.example.com"], file => FileChain.WhyUntrusted([file.Leaf!], options, new FakeTimeProvider(TestCertificates.Now)),
            TestCertificates.Now));

        Assert.Equal(expected, finding.Severity);
        Assert.Equal(isSelfSigned, finding.Text.Contains("Its chain is not trusted (", StringComparison.Ordinal));
    }

    [Fact]
    public void A_key_that_is_not_the_certificate_s_is_a_problem()
    {
        files.Write("next.pem", OwnFiles.Key(OwnFiles.Certificate(80)) + OwnFiles.Pem(OwnFiles.Certificate(80)));

        Assert.Equal(DoctorSeverity.Problem, Judge("next.pem").Severity);
        Assert.Contains("its private key is not that of its certificate", Judge("next.pem").Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("words")]
    [InlineData("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")]
    public void What_holds_no_key_is_a_problem_that_names_the_file(string content)
    {
        files.Write("next.pem", content);

        Assert.Equal((DoctorSeverity.Problem, true), (Judge("next.pem").Severity, Judge("next.pem").Text.StartsWith(files.Path("next.pem"), StringComparison.Ordinal)));
    }

    public void Dispose() => files.Dispose();

    private DoctorFinding Judge(string file, params string[] hosts) => Assert.Single(NextKeyCheck.Judge([PemFile.Read(files.Path(file))], [], hosts, _ => null, TestCertificates.Now));
}
