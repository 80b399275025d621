using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary><c>import --probe</c>: pins of an old table in the digest that Postfix compares.</summary>
public sealed class ImportProbeTests
{
    private static readonly X509Certificate2 Own = TestCertificates.SelfSigned("mx.partner.test");
    private static readonly X509Certificate2 Other = TestCertificates.SelfSigned("mx.partner.test");

    [Theory]
    [InlineData(PinSubject.Certificate)]
    [InlineData(PinSubject.PublicKey)]
    public async Task A_SHA_1_pin_that_a_server_proves_is_carried_over(PinSubject subject)
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network);
        var table = network.Session.Write("table", $"{key} fingerprint match={Sha1(Own, subject)}\nplain.test encrypt\n");

        network.Session.Succeed("import", table, "--probe");

        var pin = subject == PinSubject.Certificate ? ProbedNetwork.CertificatePin(Own) : ProbedNetwork.KeyPin(Own);
        Assert.Contains($"\tfingerprint match={pin}\t", network.Session.Succeed("explain", key), StringComparison.Ordinal);
        var pins = network.Session.Succeed("pin", "list", key);
        Assert.Contains($"{pin}\tsha256\t{subject.Name()}\tactive\tperson\t", pins, StringComparison.Ordinal);
        Assert.Contains($"{Sha1(Own, subject)}\tsha1\tunknown\tretired\t", pins, StringComparison.Ordinal);
        Assert.Contains("\tencrypt", network.Session.Succeed("domain", "list", "plain.test"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_no_server_proves_refuses_the_table_and_says_what_is_seen_instead()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network);
        var table = network.Session.Write("table", $"plain.test encrypt\n{key} fingerprint match={Sha1(Other, PinSubject.Certificate)}\n");

        var result = network.Session.Run("import", table, "--probe");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains($"table:2: {key}: the sha1 pin {Sha1(Other, PinSubject.Certificate)} cannot be carried over to sha256", result.Error, StringComparison.Ordinal);
        Assert.Contains($"seen instead: {ProbedNetwork.KeyPin(Own)}", result.Error, StringComparison.Ordinal);
        Assert.Equal("", network.Session.Succeed("domain", "list"));
    }

    [Fact]
    public async Task What_no_server_proves_can_be_observed()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network);
        var table = network.Session.Write("table", $"{key} fingerprint match={Sha1(Other, PinSubject.Certificate)}\n");

        network.Session.Succeed("import", table, "--probe", "--unservable", "observe");

        Assert.Contains("\tobserved\t", network.Session.Succeed("domain", "list"), StringComparison.Ordinal);
    }

    /// <summary>What nobody proves while the table comes in may be proven by a later probe; then the entry waits for a person to enforce it.</summary>
    [Fact]
    public async Task A_later_probe_that_proves_it_goes_on_with_enforcing_it()
    {
        await using var network = new ProbedNetwork();
        var presented = Other;
        network.Serve(() => presented);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        var table = network.Session.Write("table", $"{key} fingerprint match={Sha1(Own, PinSubject.Certificate)}\n");

        var refused = network.Session.Run("import", "--probe", table);
        Assert.EndsWith($"Next: policyctl import --unservable observe --dry-run --probe {table}\n", refused.Error, StringComparison.Ordinal);
        var observed = network.Session.Run("import", "--probe", "--unservable", "observe", table);
        Assert.DoesNotContain("in another digest than sha256 and not served", observed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Next:", network.Session.Run("probe", key).Error, StringComparison.Ordinal);

        presented = Own;
        network.Session.Time.Advance(TimeSpan.FromHours(1));
        var proven = network.Session.Run("probe", key);
        Assert.True(proven.Code == ExitCode.Done, proven.Out + proven.Error);
        Assert.EndsWith($"Next: policyctl domain set {key} --enforce\n", proven.Error, StringComparison.Ordinal);
        network.Session.Succeed("domain", "set", key, "--enforce");
        Assert.DoesNotContain("Next:", network.Session.Run("probe", key).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_pins_the_proven_one_is_served_and_the_other_kept_as_retired()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network);
        var table = network.Session.Write(
            "table", $"{key} fingerprint match={Sha1(Own, PinSubject.Certificate)} match={Sha1(Other, PinSubject.Certificate)}\n");

        var result = network.Session.Run("import", table, "--probe");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("it is kept as retired", result.Error, StringComparison.Ordinal);
        Assert.Contains($"\tfingerprint match={ProbedNetwork.CertificatePin(Own)}\t", network.Session.Succeed("explain", key), StringComparison.Ordinal);
    }

    [Fact]
    public async Task MD5_is_never_carried_over_without_a_person()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network);
        var md5 = ProbedNetwork.Seen(Own).Digest(PinSubject.Certificate, DigestAlgorithm.Md5).Hex;
        var table = network.Session.Write("table", $"{key} fingerprint match={md5}\n");

        var result = network.Session.Run("import", table, "--probe");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains("MD5 proves nothing by itself", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_without_such_pins_asks_nobody()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network);
        var table = network.Session.Write("table", $"{key} fingerprint match={ProbedNetwork.KeyPin(Other)}\n");

        network.Session.Succeed("import", table, "--probe");

        Assert.Empty(network.Dns.Questions);
    }

    [Fact]
    public async Task A_dry_run_shows_the_answer_and_changes_nothing()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network);
        var table = network.Session.Write("table", $"{key} fingerprint match={Sha1(Own, PinSubject.Certificate)}\n");

        Assert.Contains(
            $"{key}\tadd\t(not configured)\tfingerprint match={ProbedNetwork.CertificatePin(Own)}\t-\n",
            network.Session.Succeed("import", table, "--probe", "--dry-run"), StringComparison.Ordinal);
        Assert.Equal("", network.Session.Succeed("domain", "list"));
    }

    private static string Sha1(X509Certificate2 certificate, PinSubject subject) =>
        ProbedNetwork.Seen(certificate).Digest(subject, DigestAlgorithm.Sha1).Hex;

    private static string Partner(ProbedNetwork network)
    {
        network.Serve(Own);
        return network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
    }
}
