using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Administration.Doctor.OwnSide;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Doctor.OwnSide;

public sealed class OwnCertificateCheckTests : IDisposable
{
    private readonly OwnFiles files = new();

    [Theory]
    [InlineData(90, DoctorSeverity.Ok)]
    [InlineData(30, DoctorSeverity.Ok)]
    [InlineData(29, DoctorSeverity.Warning)]
    [InlineData(7, DoctorSeverity.Warning)]
    [InlineData(6, DoctorSeverity.Problem)]
    [InlineData(-1, DoctorSeverity.Problem)]
    public void The_end_of_a_certificate_is_a_warning_at_thirty_days_and_a_problem_at_seven(int days, DoctorSeverity expected)
    {
        var certificate = OwnFiles.Certificate(days);

        var finding = Assert.Single(Judge(Pair(certificate, certificate)));

        Assert.Equal(expected, finding.Severity);
        Assert.Equal(expected == DoctorSeverity.Ok ? [] : ["postfix reload"], finding.Remedy);
    }

    [Fact]
    public void A_certificate_for_the_same_key_that_ends_later_is_the_remedy()
    {
        var old = OwnFiles.Certificate(3);
        var renewed = Again(old, 80);
        var postfix = Pair(old, old);
        files.Write("renewed.pem", OwnFiles.Pem(renewed));

        var finding = Assert.Single(Judge(postfix));

        Assert.Equal([$"postconf -e 'smtpd_tls_cert_file = {files.Path("renewed.pem")}'", "postfix reload"], finding.Remedy);
    }

    [Fact]
    public void The_certificate_of_certbot_is_renewed_by_certbot()
    {
        var certificate = ServerCertificateOf(OwnFiles.Certificate(3));
        var file = new PemFile("/etc/letsencrypt/live/mx.example.com/fullchain.pem", [certificate, new PemItem(PemKind.PrivateKey, null, certificate.PublicKey)], null, null);

        var finding = Assert.Single(OwnCertificateCheck.Judge("server", [new OwnIdentity("smtpd_tls_cert_file", "smtpd_tls_key_file", file, file)], new PostconfText().Read(), TestCertificates.Now));

        Assert.Equal(["certbot renew --cert-name mx.example.com", "postfix reload"], finding.Remedy);
    }

    [Fact]
    public void A_key_of_another_certificate_is_a_problem_and_the_right_one_nearby_the_remedy()
    {
        var certificate = OwnFiles.Certificate(90);
        var postfix = Pair(certificate, OwnFiles.Certificate(90));
        Assert.Contains("is not that of the certificate", Assert.Single(Judge(postfix)).Text, StringComparison.Ordinal);

        files.Write("right.pem", OwnFiles.Key(certificate));
        var finding = Assert.Single(Judge(postfix));

        Assert.Equal(DoctorSeverity.Problem, finding.Severity);
        Assert.Equal([$"postconf -e 'smtpd_tls_key_file = {files.Path("right.pem")}'", "postfix reload"], finding.Remedy);
    }

    [Theory]
    [InlineData("missing", "is not there")]
    [InlineData("words", "neither a certificate nor a key")]
    public void A_certificate_or_key_that_is_none_is_a_problem(string name, string text)
    {
        files.Write("words", "no PEM");
        var certificate = OwnFiles.Certificate(90);
        files.Write("cert.pem", OwnFiles.Pem(certificate));

        var ofCertificate = Assert.Single(Judge(new PostconfText(("smtpd_tls_cert_file", files.Path(name)))));
        var ofKey = Assert.Single(Judge(new PostconfText(("smtpd_tls_cert_file", files.Path("cert.pem")), ("smtpd_tls_key_file", files.Path(name)))));

        Assert.All([ofCertificate, ofKey], finding => Assert.Equal((DoctorSeverity.Problem, true), (finding.Severity, finding.Text.Contains(text, StringComparison.Ordinal))));
    }

    [Fact]
    public void A_key_with_a_password_is_a_problem()
    {
        var certificate = OwnFiles.Certificate(90);
        using var key = certificate.GetECDsaPrivateKey()!;
        files.Write("cert.pem", OwnFiles.Pem(certificate));
        files.Write("key.pem", key.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));

        var finding = Assert.Single(Judge(Paths("cert.pem", "key.pem")));

        Assert.Equal(DoctorSeverity.Problem, finding.Severity);
        Assert.StartsWith("(umask 077 && openssl pkey", finding.Remedy[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_everybody_may_read_is_a_warning()
    {
        var certificate = OwnFiles.Certificate(90);
        var postfix = Pair(certificate, certificate);
        File.SetUnixFileMode(files.Path("key.pem"), UnixFileMode.UserRead | UnixFileMode.OtherRead);

        var finding = Assert.Single(Judge(postfix), finding => finding.Severity == DoctorSeverity.Warning);

        Assert.Equal([$"chmod o= {files.Path("key.pem")}"], finding.Remedy);
    }

    [Fact]
    public void A_certificate_that_is_issued_by_itself_is_noted_for_partners_at_secure()
    {
        var certificate = OwnFiles.Certificate(90, selfSigned: true);

        Assert.Equal(DoctorSeverity.Note, Assert.Single(Judge(Pair(certificate, certificate))).Severity);
    }

    [Fact]
    public void A_key_in_the_certificate_s_own_file_needs_no_parameter()
    {
        var certificate = OwnFiles.Certificate(90);
        files.Write("both.pem", OwnFiles.Pem(certificate) + OwnFiles.Key(certificate));

        Assert.Equal(DoctorSeverity.Ok, Assert.Single(Judge(new PostconfText(("smtpd_tls_cert_file", files.Path("both.pem"))))).Severity);
    }

    [Fact]
    public void Chain_files_outrank_the_other_parameters_and_have_a_pair_each()
    {
        var (ecdsa, rsa) = (OwnFiles.Certificate(90), OwnFiles.Certificate(3, rsa: true));
        var chain = $"{files.Write("ec.pem", OwnFiles.Key(ecdsa) + OwnFiles.Pem(ecdsa) + OwnFiles.Pem(TestCertificates.Root))}, {files.Write("rsakey.pem", OwnFiles.Key(rsa))}, {files.Write("rsa.pem", OwnFiles.Pem(rsa))}";

        var findings = Judge(new PostconfText(("smtpd_tls_chain_files", chain), ("smtpd_tls_cert_file", files.Path("nothing"))));

        Assert.Equal([DoctorSeverity.Ok, DoctorSeverity.Problem], findings.Select(finding => finding.Severity));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("")]
    public void No_certificate_is_no_finding_of_this_check(string value) => Assert.Empty(Judge(new PostconfText(("smtpd_tls_cert_file", value))));

    [Fact]
    public void The_client_s_certificate_is_judged_by_its_own_parameters()
    {
        var identity = Assert.Single(OwnIdentity.Of(new PostconfText(("smtp_tls_cert_file", files.Path("nothing"))).Read(), "smtp", PemFile.Read));

        Assert.Equal(("smtp_tls_cert_file", "smtp_tls_key_file"), (identity.Parameter, identity.KeyParameter));
    }

    public void Dispose() => files.Dispose();

    private PostconfText Pair(X509Certificate2 certificate, X509Certificate2 key)
    {
        files.Write("cert.pem", OwnFiles.Pem(certificate));
        files.Write("key.pem", OwnFiles.Key(key));
        return Paths("cert.pem", "key.pem");
    }

    private PostconfText Paths(string certificate, string key) => new(("smtpd_tls_cert_file", files.Path(certificate)), ("smtpd_tls_key_file", files.Path(key)));

    private static List<DoctorFinding> Judge(PostconfText text)
    {
        var postfix = text.Read();
        return [.. OwnCertificateCheck.Judge("server", [.. OwnIdentity.Of(postfix, "smtpd", PemFile.Read).Select(identity => identity.WithNeighbours())], postfix, TestCertificates.Now)];
    }

    private static PemItem ServerCertificateOf(X509Certificate2 certificate) => PemFile.Parse(OwnFiles.Pem(certificate))[0];

    private static X509Certificate2 Again(X509Certificate2 old, int days)
    {
        using var key = old.GetECDsaPrivateKey()!;
        var request = new CertificateRequest("CN=mx.example.com", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(TestCertificates.Now.AddDays(-1), TestCertificates.Now.AddDays(days));
    }
}
