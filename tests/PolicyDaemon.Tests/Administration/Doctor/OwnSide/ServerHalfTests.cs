using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Administration.Doctor.OwnSide;
using PolicyDaemon.Tests.Cli;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Doctor.OwnSide;

/// <summary>The server half of main.cf: its level, and parameters that are obsolete.</summary>
public sealed class ServerHalfTests
{
    private static readonly PemFile Nothing = new("/x", [], null, null);
    private static readonly OwnIdentity[] One = [new OwnIdentity("smtpd_tls_cert_file", "smtpd_tls_key_file", Nothing, Nothing)];

    [Theory]
    [InlineData("may", DoctorSeverity.Ok)]
    [InlineData("", DoctorSeverity.Warning)]
    [InlineData("none", DoctorSeverity.Warning)]
    [InlineData("encrypt", DoctorSeverity.Note)]
    public void The_level_of_port_25_is_judged(string level, DoctorSeverity expected)
    {
        var finding = Assert.Single(Judge(new PostconfText(("smtpd_tls_security_level", level))));

        Assert.Equal(expected, finding.Severity);
        Assert.Equal(expected == DoctorSeverity.Warning ? ["postconf -e 'smtpd_tls_security_level = may'", "postfix reload"] : [], finding.Remedy);
    }

    [Fact]
    public void An_old_switch_offers_TLS_as_long_as_there_is_no_level() =>
        Assert.Equal(DoctorSeverity.Ok, Assert.Single(Judge(new PostconfText(("smtpd_tls_security_level", ""), ("smtpd_use_tls", "yes")))).Severity);

    [Fact]
    public void The_override_of_port_25_counts_and_that_of_submission_does_not()
    {
        var text = new PostconfText(("smtpd_tls_security_level", "may"))
        {
            Services = "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\nsmtp unix - - y - - smtp\n",
            Overrides = "smtp/inet/smtpd_tls_security_level = none\nsubmission/inet/smtpd_tls_security_level = encrypt\n",
        };

        var finding = Assert.Single(Judge(text));

        Assert.Equal(DoctorSeverity.Warning, finding.Severity);
        Assert.Equal("postconf -PX smtp/inet/smtpd_tls_security_level", finding.Remedy[0]);
    }

    [Fact]
    public void Postscreen_before_the_server_counts()
    {
        var text = new PostconfText(("smtpd_tls_security_level", "none"), ("postscreen_tls_security_level", "may")) { Services = "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n", Overrides = "" };

        Assert.Equal(DoctorSeverity.Ok, Assert.Single(Judge(text)).Severity);
    }

    [Theory]
    [InlineData("smtp unix - - y - - smtp\n", "all")]
    [InlineData("smtp inet n - y - - smtpd\n", "loopback-only")]
    public void A_postfix_that_takes_no_mail_has_no_server_half(string services, string interfaces) => Assert.Equal(
        DoctorSeverity.Note, Assert.Single(Judge(new PostconfText(("inet_interfaces", interfaces)) { Services = services, Overrides = "" }, [])).Severity);

    [Fact]
    public void A_server_without_a_certificate_is_a_warning() =>
        Assert.Contains(Judge(new PostconfText(("smtpd_tls_security_level", "may")), []), finding =>
            finding.Severity == DoctorSeverity.Warning && finding.Text.Contains("has no certificate", StringComparison.Ordinal) && finding.Remedy.SequenceEqual(["postfix tls new-server-key"]));

    [Theory]
    // With a level the switch has no effect; without one it becomes the level first.
    [InlineData("smtpd_use_tls=yes;smtpd_tls_security_level=may", "postconf -X smtpd_use_tls;postfix reload")]
    [InlineData("smtpd_use_tls=yes;smtpd_tls_security_level=", "postconf -e 'smtpd_tls_security_level = may';postconf -X smtpd_use_tls;postfix reload")]
    [InlineData("smtpd_use_tls=no;smtpd_tls_security_level=", "postconf -X smtpd_use_tls;postfix reload")]
    [InlineData("smtpd_use_tls=yes;smtpd_enforce_tls=yes;smtpd_tls_security_level=", "postconf -e 'smtpd_tls_security_level = encrypt';postconf -X smtpd_use_tls;postconf -X smtpd_enforce_tls;postfix reload")]
    // postconf(5), smtp_enforce_tls: names are verified unless smtp_tls_enforce_peername says otherwise.
    [InlineData("smtp_enforce_tls=yes;smtp_tls_security_level=", "postconf -e 'smtp_tls_security_level = verify';postconf -X smtp_enforce_tls;postfix reload")]
    [InlineData("smtp_tls_per_site=hash:/etc/postfix/per_site", "policyctl domain add --help")]
    [InlineData("smtpd_tls_eecdh_grade=strong", "postconf -X smtpd_tls_eecdh_grade;postfix reload")]
    [InlineData("smtpd_tls_dh1024_param_file=/etc/postfix/dh.pem", "postconf -X smtpd_tls_dh1024_param_file;postfix reload")]
    public void An_obsolete_parameter_goes_and_what_it_asked_for_stays(string settings, string remedy)
    {
        var text = new PostconfText(settings.Split(';').Select(setting => setting.Split('=', 2)).Select(pair => (pair[0], pair[1])));

        var finding = Assert.Single(ObsoleteParameters.Judge(text.Read()));

        Assert.Equal(DoctorSeverity.Warning, finding.Severity);
        Assert.Equal(remedy, string.Join(';', finding.Remedy));
    }

    [Fact]
    public void A_verifying_switch_with_its_exception_becomes_encrypt() => Assert.Contains(
        ObsoleteParameters.Judge(new PostconfText(("smtp_enforce_tls", "yes"), ("smtp_tls_enforce_peername", "no"), ("smtp_tls_security_level", "")).Read()),
        finding => finding.Remedy[0] == "postconf -e 'smtp_tls_security_level = encrypt'");

    [Fact]
    public void What_main_cf_does_not_set_is_not_obsolete() =>
        Assert.Equal(DoctorSeverity.Ok, Assert.Single(ObsoleteParameters.Judge(new PostconfText().WithDefault("smtpd_use_tls", "no").Read())).Severity);

    private static List<DoctorFinding> Judge(PostconfText text, OwnIdentity[]? identities = null) => [.. ServerTlsCheck.Judge(text.Read(), identities ?? One)];
}
