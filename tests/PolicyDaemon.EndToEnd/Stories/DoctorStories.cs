using System.Globalization;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary><c>doctor</c> beside a real Postfix: all is well, then one thing after the other is not, and what is printed below it, pasted, settles it.</summary>
[Collection(typeof(Probing))]
public sealed class DoctorStories(ProbingLaboratory lab) : IAsyncLifetime
{
    private const string Domain = "doctor.signed.test";
    private const string Host = "mx." + Domain;
    private const int Port = 8531;

    private PostfixInstance? _postfix;
    private Policyd? _policyd;

    private PostfixInstance Postfix => _postfix!;

    private Policyd Policyd => _policyd!;

    private string CertificateFile => Path.Combine(Postfix.Folder, "cert.pem");

    private string KeyFile => Path.Combine(Postfix.Folder, "key.pem");

    public async ValueTask InitializeAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"doctor{Random.Shared.Next(1_000_000)}");
        _postfix = new PostfixInstance(lab.Sandbox, name, (command, input) => lab.Sandbox.RunAsync(command, input));
        Directory.CreateDirectory(Path.Combine(Postfix.Queue, "etc"));
        File.Copy(Path.Combine(lab.Sandbox.Folder, "etc", "resolv.conf"), Path.Combine(Postfix.Queue, "etc", "resolv.conf"));
        var certificate = lab.Certificates.Issued(Host);
        Write(certificate.KeyPem, certificate.ChainPem);
        lab.Dns.Set(Domain, "MX", $"10 {Host}.").Set(Host, "A", "192.0.2.1").Set($"_25._tcp.{Host}", "TLSA", $"3 1 1 {certificate.PublicKeyFingerprint}");
        await lab.Dns.PublishAsync();
        await Postfix.StartAsync($"""
            myhostname = {Host}
            inet_interfaces = 192.0.2.1
            mynetworks = 127.0.0.0/8
            smtp_tls_security_level = may
            smtp_tls_policy_maps = socketmap:unix:policydaemon/socketmap:tlspolicy
            smtp_tls_fingerprint_digest = sha256
            smtp_tls_CAfile = {lab.Certificates.AuthorityFile}
            smtp_dns_support_level = dnssec
            smtp_tls_dane_insecure_mx_policy = dane
            smtpd_tls_security_level = may
            smtpd_tls_cert_file = {CertificateFile}
            smtpd_tls_key_file = {KeyFile}

            """, SendingPostfix.CommonServices + "smtp inet n - n - - smtpd\n");
        _policyd = new Policyd(lab.Sandbox, name + "d", Path.Combine(Postfix.Queue, "policydaemon"), Port);
        await Policyd.PrepareAsync(probe: lab.Probing().With("alert_command", "/bin/true").With("helo_name", Host), postfix: """
            security_level = may
            mx_address_limit = 5
            inet_protocols = all
            address_preference = any
            protocols = >=TLSv1
            mandatory_protocols = >=TLSv1
            dane_insecure_mx_policy = dane
            """);
        await Policyd.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_policyd is not null) await _policyd.DisposeAsync();
        if (_postfix is not null) await _postfix.RunAsync("postfix", "stop");
    }

    [Fact]
    public async Task All_is_well_and_then_the_daemon_is_gone()
    {
        var result = await Policyd.CtlAsync("doctor", "--postfix", Postfix.Configuration, "--send");
        var findings = Read(result.Output);
        AssertWell(findings);
        // The clock is that of the machine on which this runs.
        Assert.Equal(findings.Any(finding => finding.Severity is "warning" or "problem") ? 1 : findings.Any(finding => finding.Severity == "unknown") ? 6 : 0, result.ExitCode);
        Assert.Contains(findings, finding => finding is { Check: "socket", Severity: "ok" } && finding.Text.Contains($"as postfix inside {Postfix.Queue}", StringComparison.Ordinal));
        Assert.Contains(findings, finding => finding is { Check: "alerts", Severity: "ok" } && finding.Text.Contains("took a test alert", StringComparison.Ordinal));

        await Policyd.StopAsync();
        findings = await DoctorAsync();
        Assert.Equal("systemctl start policyd", Bad(findings, "daemon").Commands);
        Assert.Equal("systemctl start policyd", Bad(findings, "socket").Commands);

        await Policyd.StartAsync();
        AssertWell(await DoctorAsync());
    }

    [Fact]
    public async Task A_socket_that_Postfix_cannot_reach_is_opened_to_it_by_what_is_printed()
    {
        var folder = Path.GetDirectoryName(Policyd.UnixSocket)!;
        (await lab.Sandbox.RunAsync(["chmod", "0700", folder])).Require();

        var finding = Bad(await DoctorAsync(), "socket");
        Assert.Contains("no permission", finding.Text, StringComparison.Ordinal);
        await PasteAsync(finding);
        AssertWell(await DoctorAsync());

        // An absolute path is another one inside the chroot.
        await Postfix.ConfigureAsync($"smtp_tls_policy_maps = socketmap:unix:{Policyd.UnixSocket}:tlspolicy");
        finding = Bad(await DoctorAsync(), "socket");
        Assert.Contains("there is no socket", finding.Text, StringComparison.Ordinal);
        await PasteAsync(finding);
        AssertWell(await DoctorAsync());
    }

    [Fact]
    public async Task Certificates_keys_and_parameters_of_the_server_are_mended_by_what_is_printed()
    {
        using var key = LabCertificates.NewKey(KeyKind.Ecdsa);
        var now = TimeProvider.System.GetUtcNow();
        var certificate = lab.Certificates.Issued([Host], key, now.AddDays(-80), now.AddDays(3).AddHours(1));
        await lab.Dns.Set($"_25._tcp.{Host}", "TLSA", $"3 1 1 {certificate.PublicKeyFingerprint}").PublishAsync();
        await File.WriteAllTextAsync(CertificateFile, certificate.ChainPem, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(Postfix.Folder, "right.pem"), certificate.KeyPem, TestContext.Current.CancellationToken);
        File.SetUnixFileMode(Path.Combine(Postfix.Folder, "right.pem"), UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var finding = Bad(await DoctorAsync(), "server");
        Assert.Contains("is not that of the certificate", finding.Text, StringComparison.Ordinal);
        await PasteAsync(finding);

        finding = Bad(await DoctorAsync(), "server");
        Assert.Contains("in 3 days", finding.Text, StringComparison.Ordinal);
        // Renewed with the same key, and not yet named.
        var renewed = lab.Certificates.Issued([Host], key, now.AddDays(-1), now.AddDays(90));
        await File.WriteAllTextAsync(Path.Combine(Postfix.Folder, "renewed.pem"), renewed.ChainPem, TestContext.Current.CancellationToken);
        await PasteAsync(Bad(await DoctorAsync(), "server"));
        AssertWell(await DoctorAsync());

        await Postfix.ConfigureAsync("smtpd_use_tls = yes", "smtpd_tls_security_level =");
        finding = Bad(await DoctorAsync(), "obsolete");
        await PasteAsync(finding);
        AssertWell(await DoctorAsync());
        Assert.Equal("may", await Postfix.ParameterAsync("smtpd_tls_security_level"));

        await Postfix.ConfigureAsync("smtpd_tls_security_level = none");
        await PasteAsync(Bad(await DoctorAsync(), "server"));
        AssertWell(await DoctorAsync());
    }

    [Fact]
    public async Task Another_resolver_inside_the_chroot_is_replaced_by_what_is_printed()
    {
        var file = Path.Combine(Postfix.Queue, "etc", "resolv.conf");
        await File.WriteAllTextAsync(file, "nameserver 192.0.2.53\n", TestContext.Current.CancellationToken);

        var findings = (await DoctorAsync()).Where(finding => finding is { Check: "resolver", Severity: "warning" }).ToList();
        Assert.Contains(findings, finding => finding.Text.Contains("inside the chroot Postfix asks 192.0.2.53, this machine 127.0.0.1", StringComparison.Ordinal));
        await PasteAsync(findings.First(finding => finding.Commands.Length > 0));
        AssertWell(await DoctorAsync());

        // Without the file smtp(8) asks 127.0.0.1, as this machine does.
        File.Delete(file);
        AssertWell(await DoctorAsync());
    }

    [Fact]
    public async Task A_full_disk_is_a_problem_until_there_is_room()
    {
        await using var policyd = new Policyd(lab.Sandbox, "doctorfull", Path.Combine(lab.Sandbox.Folder, "doctorfull", "run"), Port + 10);
        await policyd.PrepareAsync(storeMegabytes: 24);
        var filler = Path.Combine(Path.GetDirectoryName(policyd.Database)!, "filler");
        (await lab.Sandbox.RunAsync(["sh", "-c", $"cat /dev/zero > {filler} 2> /dev/null; true"])).Require();

        var finding = Bad(Read((await policyd.CtlAsync("doctor", "--postfix", Postfix.Configuration)).Output), "disk");
        Assert.Contains("0 KiB of 24 MiB free", finding.Text, StringComparison.Ordinal);
        Assert.Contains(" ; du -xh ", finding.Commands, StringComparison.Ordinal);

        (await lab.Sandbox.RunAsync(["rm", filler])).Require();
        Assert.DoesNotContain(Read((await policyd.CtlAsync("doctor", "--postfix", Postfix.Configuration)).Output), other => other is { Check: "disk", Severity: "problem" });
    }

    [Fact]
    public async Task Our_own_MX_host_is_well_for_partners_until_the_key_changes_before_its_record()
    {
        var own = await OwnAsync();
        Assert.All(own, finding => Assert.Contains(finding.Severity, (string[])["ok", "note"]));
        Assert.Contains(own, finding => finding.Text == $"{Host} presents what main.cf names");
        Assert.Contains(own, finding => finding.Text == "a partner at dane-only: delivered");

        var next = lab.Certificates.Issued(Host);
        var file = Path.Combine(Postfix.Folder, "next.pem");
        await File.WriteAllTextAsync(file, next.ChainPem, TestContext.Current.CancellationToken);
        own = await OwnAsync("--next", file);
        Assert.Contains(own, finding => finding.Severity == "warning"
            && finding.Text.Contains($"_25._tcp.{Host}. IN TLSA 3 1 1 {next.PublicKeyFingerprint}", StringComparison.Ordinal));

        // The files are new, and Postfix has not read them.
        Write(next.KeyPem, next.ChainPem);
        var stale = (await OwnAsync()).Single(finding => finding.Severity == "warning");
        Assert.Contains("presents another certificate than main.cf names", stale.Text, StringComparison.Ordinal);
        await PasteAsync(stale);
        var mismatch = (await OwnAsync()).Single(finding => finding.Severity == "problem");
        Assert.Contains("no TLSA record matches", mismatch.Text, StringComparison.Ordinal);

        await lab.Dns.Set($"_25._tcp.{Host}", "TLSA", $"3 1 1 {next.PublicKeyFingerprint}").PublishAsync();
        Assert.All(await OwnAsync(), finding => Assert.Contains(finding.Severity, (string[])["ok", "note"]));
    }

    [Fact]
    public async Task Who_is_not_root_is_told_what_cannot_be_looked_at_and_nothing_of_it_is_green()
    {
        var result = await Policyd.CtlAsAsync(["setpriv", "--reuid=daemon", "--regid=daemon", "--init-groups"], "doctor", "--postfix", Postfix.Configuration);

        var findings = Read(result.Output);
        Assert.Contains(findings, finding => finding is { Check: "socket", Severity: "unknown" } && finding.Text.Contains("only root can ask as postfix", StringComparison.Ordinal));
        Assert.Contains(findings, finding => finding is { Check: "server", Severity: "unknown" } && finding.Text.Contains("run this as root", StringComparison.Ordinal));
        Assert.NotEqual(0, result.ExitCode);
    }

    private async Task<List<Finding>> DoctorAsync(params string[] options) => Read((await Policyd.CtlAsync(["doctor", "--postfix", Postfix.Configuration, .. options])).Output);

    /// <summary>What is said of our own side, and of nothing else.</summary>
    private async Task<List<Finding>> OwnAsync(params string[] options) => [.. (await DoctorAsync(["--own", Domain, .. options])).Where(finding => finding.Check == "own")];

    /// <summary>Does what a person does with the lines below a finding.</summary>
    private async Task PasteAsync(Finding finding)
    {
        Assert.NotEqual("", finding.Commands);
        foreach (var command in finding.Commands.Split(" ; ")) (await lab.Sandbox.RunAsync(["sh", "-c", command])).Require();
    }

    private void Write(string key, string chain)
    {
        File.WriteAllText(CertificateFile, chain);
        File.WriteAllText(KeyFile, key);
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static Finding Bad(List<Finding> findings, string check) =>
        findings.FirstOrDefault(finding => finding.Check == check && finding.Severity is ("problem" or "warning"))
        ?? throw new InvalidOperationException($"{check} is well:\n{Tell(findings)}");

    private static void AssertWell(List<Finding> findings) => Assert.True(
        findings.Where(finding => finding.Check != "clock").All(finding => finding.Severity is "ok" or "note"), Tell(findings));

    private static string Tell(List<Finding> findings) => string.Join('\n', findings);

    private static List<Finding> Read(string output) =>
    [
        .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).Where(row => row.Length == 4 && row[0] != "key")
            .Select(row => new Finding(row[0], row[1], row[2], row[3])),
    ];

    private sealed record Finding(string Severity, string Check, string Text, string Commands);
}
