using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>The list of <c>doctor</c>: what is on it, its formats, its exit status.</summary>
public sealed class DoctorTests : IAsyncDisposable
{
    private static readonly X509Certificate2 Ours = TestCertificates.Issued("mx.example.com");

    private readonly ProbedNetwork network = new(
        trusted: true, "version = 3.7\nsecurity_level = may\nmx_address_limit = 5\ninet_protocols = all\nprotocols = >=TLSv1\nmandatory_protocols = >=TLSv1\ndane_insecure_mx_policy = dane");
    private DaemonLock? running;

    public DoctorTests()
    {
        Directory.CreateDirectory(Path.Combine(Session.Directory, "jail", "etc"));
        Session.Write("jail/etc/resolv.conf", "nameserver 127.0.0.1\n");
        Session.Write("cert.pem", Ours.ExportCertificatePem());
        using var key = Ours.GetECDsaPrivateKey()!;
        Session.Write("key.pem", key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(Path.Combine(Session.Directory, "key.pem"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Session.Postfix.Text = Fitting();
        Run();
    }

    private CliSession Session => network.Session;

    [Fact]
    public void Everything_is_looked_at_and_stands_in_one_list()
    {
        var findings = Findings();

        Assert.Equal(
            ["alerts", "clock", "configuration", "daemon", "disk", "findings", "obsolete", "postfix", "resolver", "rights", "server", "socket", "store"],
            findings.Select(finding => finding.Check).Distinct().Order(StringComparer.Ordinal));
        // Of the machine on which the test runs: its resolver is another one than the test's, and nobody is told of findings.
        Assert.All(findings.Where(finding => finding.Severity is not ("ok" or "note")), finding => Assert.Contains(finding.Check, (string[])["resolver", "alerts", "rights"]));
    }

    [Fact]
    public void Its_commands_are_about_the_same_machine()
    {
        running!.Dispose();
        running = null;
        using (var store = PolicyStore.Open(Session.Store, StoreAccess.Write, Session.Time))
            store.RaiseFinding(new Finding(FindingKind.NewKey, "a.example", "a key", "policyctl pin approve a.example", Session.Time.GetUtcNow()));

        Assert.Contains(
            $"\n    policyctl --config {Session.Config} status\n", Session.RunWith("doctor", "--format", "table", "--config", Session.Config).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_person_is_needed_for_a_warning_and_a_problem() => Assert.Equal(ExitCode.Negative, Session.Run("doctor").Code);

    [Theory]
    [InlineData(DoctorSeverity.Ok, ExitCode.Done)]
    [InlineData(DoctorSeverity.Note, ExitCode.Done)]
    [InlineData(DoctorSeverity.Unknown, ExitCode.Inconclusive)]
    [InlineData(DoctorSeverity.Warning, ExitCode.Negative)]
    [InlineData(DoctorSeverity.Problem, ExitCode.Negative)]
    public void The_exit_status_is_that_of_the_worst(DoctorSeverity severity, object expected) => Assert.Equal(
        expected, PolicyDaemon.Cli.Commands.Doctor.DoctorVerb.Code([DoctorFinding.Ok("x", ""), new DoctorFinding("y", severity, "")]));

    [Fact]
    public void Without_a_daemon_its_line_is_the_problem_and_the_rest_is_looked_at()
    {
        running?.Dispose();

        var daemon = Findings().Single(finding => finding.Check == "daemon");

        Assert.Equal(("problem", "systemctl start policyd"), (daemon.Severity, daemon.Commands));
    }

    [Fact]
    public void A_socket_that_Postfix_cannot_reach_is_a_problem()
    {
        Session.Machine.Answer = question => new SocketAnswer(question, SocketOutcome.NoPermission, "no permission");

        Assert.Contains(Findings(), finding => finding is { Check: "socket", Severity: "problem" });
        Assert.Equal("postfix", Assert.Single(Session.Machine.Asked).User);
    }

    [Fact]
    public void A_resolver_that_fails_its_self_test_is_said_in_the_words_of_the_test()
    {
        File.WriteAllText(Session.Config, File.ReadAllText(Session.Config).Replace("= secure.test", "= unsigned.test", StringComparison.Ordinal));
        network.Dns.AddHost("unsigned.test", false, "192.0.2.1");

        var finding = Findings().First(finding => finding is { Check: "resolver", Severity: "problem" });

        Assert.Contains("fails its self-test: unsigned.test must come back secure and did not: the answer has no AD bit; the resolver does not validate. Nothing counts", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_that_cannot_be_used_hides_nothing_that_does_not_need_it()
    {
        File.AppendAllText(Session.Config, "\nnonsense = yes\n");

        var findings = Findings();

        Assert.Contains(findings, finding => finding is { Check: "configuration", Severity: "problem" } && finding.Text.Contains("nonsense", StringComparison.Ordinal));
        Assert.Equal(["clock", "configuration", "obsolete", "server"], findings.Select(finding => finding.Check).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_Postfix_the_rest_is_looked_at()
    {
        Session.Postfix.Text = null;

        var findings = Findings();

        Assert.Contains(findings, finding => finding is { Check: "postfix", Severity: "unknown" });
        Assert.Contains(findings, finding => finding is { Check: "store", Severity: "ok" });
    }

    [Fact]
    public void What_setup_finds_stands_on_the_list_with_its_commands()
    {
        Session.Postfix.Text = Fitting(("smtp_tls_fingerprint_digest", "sha1"));

        var finding = Findings().Single(finding => finding is { Check: "postfix", Severity: "problem" });

        Assert.Equal("postconf -e 'smtp_tls_fingerprint_digest = sha256' ; postfix reload", finding.Commands);
    }

    [Fact]
    public void A_test_alert_is_sent_when_it_is_asked_for()
    {
        File.WriteAllText(Session.Config, File.ReadAllText(Session.Config).Replace("[probe]\n", "[probe]\nalert_command = /bin/true\n", StringComparison.Ordinal));
        Session.Machine.Sent = [new SentAlert("alert_command", "it ended with status 1")];

        Assert.Contains(Findings(), finding => finding is { Check: "alerts", Severity: "ok" });
        Assert.Contains(Findings("--send"), finding => finding is { Check: "alerts", Severity: "problem" } && finding.Text.Contains("ended with status 1", StringComparison.Ordinal));

        Session.Machine.CannotSend = new CommandException(ExitCode.Permission, "run this as root");
        Assert.Contains(Findings("--send"), finding => finding is { Check: "alerts", Severity: "unknown" } && finding.Text.Contains("run this as root", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Our_own_MX_host_is_seen_as_a_partner_sees_it()
    {
        await using var policy = new FakePolicyHost(
            TestCertificates.Issued("mta-sts.example.com"), FakePolicyHost.Ok("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.example.com\n"));
        network.Serve(Ours);
        var domain = network.Domain("example.com", "mx.example.com", true, "127.0.0.1");
        network.Tlsa("mx.example.com", Ours);
        network.Dns.AddHost("mta-sts.example.com", false, "127.0.0.1");
        network.Text("_mta-sts.example.com", "v=STSv1; id=2026;");
        Session.PolicyPort = policy.Port;

        var own = Findings("--own", domain).Where(finding => finding.Check == "own").ToList();

        Assert.All(own, finding => Assert.Equal("ok", finding.Severity));
        Assert.Equal(
            [
                "mx.example.com [127.0.0.1] presents ECDSA 256 bits, which ends 2027-03-03T12:00:00Z, in 100 days; its chain is trusted, and it is for that name",
                "mx.example.com: its TLSA records match what it presents",
                "mx.example.com presents what main.cf names",
                "MTA-STS of example.com enforces, and covers every MX host",
                "a partner at secure: delivered",
                "a partner at dane-only: delivered",
                "a partner at fingerprint: delivered, with the fingerprints of today",
            ], own.Select(finding => finding.Text.Replace($"example.com:{network.Port}", "example.com", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_partners_would_refuse_is_said_with_the_record_that_is_missing()
    {
        await using var policy = new FakePolicyHost(
            TestCertificates.Issued("mta-sts.example.com"), FakePolicyHost.Ok("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mail.example.com\n"));
        var shown = TestCertificates.SelfSigned("other.example.com");
        network.Serve(shown);
        var domain = network.Domain("example.com", "mx.example.com", true, "127.0.0.1");
        network.Tlsa("mx.example.com", Ours);
        network.Dns.AddHost("mta-sts.example.com", false, "127.0.0.1");
        network.Text("_mta-sts.example.com", "v=STSv1; id=2026;");
        Session.PolicyPort = policy.Port;

        var own = Findings("--own", domain).Where(finding => finding.Check == "own").ToList();

        Assert.Contains(own, finding => finding.Severity == "warning" && finding.Text.Contains("it is not for the name mx.example.com and its chain is not trusted", StringComparison.Ordinal));
        Assert.Contains(own, finding => finding.Severity == "problem"
            && finding.Text.Contains($"_{network.Port}._tcp.mx.example.com. IN TLSA 3 1 1 {ProbedNetwork.KeyPin(shown)}", StringComparison.Ordinal));
        Assert.Contains(own, finding => finding is { Severity: "warning", Commands: "postfix reload" } && finding.Text.Contains("presents another certificate than main.cf names", StringComparison.Ordinal));
        Assert.Contains(own, finding => finding.Severity == "problem" && finding.Text.Contains("does not cover mx.example.com", StringComparison.Ordinal));
        Assert.Contains(own, finding => finding.Severity == "note" && finding.Text.StartsWith("a partner at secure: deferred", StringComparison.Ordinal));
    }

    [Fact]
    public void The_next_key_is_announced_and_its_TLSA_record_asked_for()
    {
        network.Serve(Ours);
        var domain = network.Domain("example.com", "mx.example.com", true, "127.0.0.1");
        network.Tlsa("mx.example.com", Ours);
        var next = TestCertificates.Issued("mx.example.com");
        var file = Session.Write("next.pem", next.ExportCertificatePem());

        var result = Session.Run("doctor", "--own", domain, "--next", file, "--digest", "sha256", "--digest", "sha1", "--format", "json");

        using var json = JsonDocument.Parse(result.Out);
        var keys = json.RootElement.GetProperty("keys").EnumerateArray().ToList();
        Assert.Equal(
            [("now", "sha256"), ("now", "sha1"), ("next", "sha256"), ("next", "sha1")],
            keys.Select(key => (key.GetProperty("use").GetString()!, key.GetProperty("digest").GetString()!)));
        Assert.Equal(ProbedNetwork.CertificatePin(next), keys[2].GetProperty("certificate").GetString());
        Assert.Equal($"3 1 1 {ProbedNetwork.KeyPin(next)}", keys[2].GetProperty("tlsa").GetString());
        Assert.Contains(json.RootElement.GetProperty("findings").EnumerateArray(), finding => finding.GetProperty("severity").GetString() == "warning"
            && finding.GetProperty("text").GetString()!.Contains("no TLSA record is for the next key", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public void The_list_fits_the_terminal(int width)
    {
        Session.Terminal = true;
        Session.Width = width;
        running?.Dispose();

        var result = Session.Run("doctor", "--next", Path.Combine(Session.Directory, "cert.pem"));

        // Commands and paths stay whole, so that they can be copied.
        Assert.All(result.Out.Split('\n').Select(Plain).Where(line => !line.StartsWith("    ", StringComparison.Ordinal) && !line.Contains(Session.Directory, StringComparison.Ordinal)),
            line => Assert.InRange(line.Length, 0, width));
        Assert.Contains("\n    systemctl start policyd\n", result.Out, StringComparison.Ordinal);
        Assert.Matches("(?m)^    sha256 certificate  ([0-9A-F]{2}:){16}$", Plain(result.Out));
        Assert.Matches("(?m)^    sha256 public key   ([0-9a-f]{4} ?){8}$", Plain(result.Out));
    }

    [Theory]
    [InlineData("--digest sha3", "--digest takes md5, sha1, sha256 or sha512, not 'sha3'")]
    [InlineData("--digest sha1", "add --own DOMAIN, or --next FILE")]
    [InlineData("--own .example.com", "--own takes a domain of yours")]
    public void A_wrong_option_is_refused(string options, string error)
    {
        var result = Session.Run(["doctor", .. options.Split(' '), .. options.Contains("sha3", StringComparison.Ordinal) ? (string[])["--own", "example.com"] : []]);

        Assert.Equal(ExitCode.Usage, result.Code);
        Assert.Contains(error, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_of_tsv_has_its_commands_in_the_last_column()
    {
        running?.Dispose();

        Assert.Contains("problem\tdaemon\tpolicyd does not run: mail waits, every delivery that asks it is deferred (4.7.5) and tried again\tsystemctl start policyd\n", Session.Run("doctor").Out, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        running?.Dispose();
        await network.DisposeAsync();
    }

    private PostconfText Fitting(params (string, string)[] changes) => new(
    [
        ("queue_directory", Path.Combine(Session.Directory, "jail")), ("config_directory", Session.Directory), ("myhostname", "mx.example.com"), ("mail_owner", "postfix"),
        ("smtp_tls_CAfile", Path.Combine(Session.Directory, "roots.pem")), ("smtp_helo_name", "me.test"),
        ("smtpd_tls_security_level", "may"), ("smtpd_tls_cert_file", Path.Combine(Session.Directory, "cert.pem")), ("smtpd_tls_key_file", Path.Combine(Session.Directory, "key.pem")),
        .. changes,
    ]);

    private void Run()
    {
        running = DaemonLock.TryTake(Session.Database + ".status");
        using var store = PolicyStore.Open(Session.Store, StoreAccess.Read, Session.Time);
        DaemonStatusFile.Write(Session.Database + ".status", new DaemonStatus(
            "1.2.3", Environment.ProcessId, Session.Time.GetUtcNow(), Session.Time.GetUtcNow(), [], new SnapshotStatus("store", store.StoreId, store.Head().Sequence, AuditHead.Empty.Hash, 0, Session.Time.GetUtcNow()),
            new LookupCounts(0, 0, 0, 0, 0, new ConnectionCounts(0, 0, 0, 0, 0, 0), 0), []));
    }

    private List<(string Severity, string Check, string Text, string Commands)> Findings(params string[] options) =>
        [.. Session.Run(["doctor", .. options]).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).Where(row => row[0] != "key")
            .Select(row => (row[0], row[1], row[2], row[3]))];

    private static string Plain(string text) => System.Text.RegularExpressions.Regex.Replace(text, "\x1b\\[[0-9;]*m", "");
}
