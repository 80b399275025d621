using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary><c>domain add --probe</c> and <c>domain set --probe</c>.</summary>
public sealed class FetchedPinTests
{
    private static readonly X509Certificate2 Own = TestCertificates.SelfSigned("mx.partner.test");
    private static readonly X509Certificate2 Other = TestCertificates.SelfSigned("mx.partner.test");
    private static readonly X509Certificate2 Public = TestCertificates.Issued("mx.partner.test");

    [Fact]
    public async Task A_person_sees_the_keys_is_asked_and_the_pin_says_so()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);
        network.Session.Person = true;
        network.Session.Input = "yes\n";

        var result = network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", "--format", "table");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.StartsWith(
            $"""
             Seen at {key}:
               {ProbedNetwork.KeyPin(Own)}  sha256 of the public key, ECDSA 256 bits
                 certificate  CN=mx.partner.test, issued by CN=mx.partner.test, until 2027-03-03T12:00:00Z
                              {ProbedNetwork.CertificatePin(Own)}  sha256 of the certificate
                 at           mx.partner.test [127.0.0.1]
                 evidence     none: seen for the first time, and nothing says whose it is
             {key}  (new)
               before  (not configured)
               after   fingerprint match={ProbedNetwork.KeyPin(Own)}
             change 
             """,
            result.Out, StringComparison.Ordinal);
        Assert.EndsWith("Pin 1 key? [yes/no] ", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{ProbedNetwork.KeyPin(Own)}\tsha256\tpublic-key\tactive\tperson\t", network.Session.Succeed("pin", "list", key), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no\n")]
    [InlineData("")]
    [InlineData("perhaps\nno\n")]
    public async Task Who_says_no_or_nothing_changes_nothing(string input)
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);
        network.Session.Person = true;
        network.Session.Input = input;

        var result = network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains("not accepted; nothing was changed", result.Error, StringComparison.Ordinal);
        Assert.Equal(input.Length == 0, result.Error.EndsWith("[yes/no] \npolicyctl: not accepted; nothing was changed\n", StringComparison.Ordinal));
        // Nonsense is asked again without the whole explanation.
        Assert.Equal(result.Error.IndexOf("Nothing says whose", StringComparison.Ordinal), result.Error.LastIndexOf("Nothing says whose", StringComparison.Ordinal));
        Assert.Equal(ExitCode.Negative, network.Session.Run("domain", "show", key).Code);
    }

    [Theory]
    [InlineData("--observe")]
    [InlineData("--mode=assist")]
    public async Task At_the_question_too_first_sight_takes_a_reason(string option)
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);
        network.Session.Person = true;
        network.Session.Input = "first-sight\nno\n";

        Assert.Equal(ExitCode.Negative, network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", option).Code);
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--probe", option, "--reason", "test system");

        Assert.Contains("\ttofu\t", network.Session.Succeed("pin", "list", key), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_at_the_question_changes_nothing()
    {
        await using var network = new ProbedNetwork();
        using var interruption = new Interruption();
        var key = Partner(network, Own);
        network.Session.Person = true;
        network.Session.Interruption = interruption;
        using var keyboard = new ManualResetEventSlim();
        network.Session.InOverride = new Keyboard(interruption, keyboard);

        var result = network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe");
        keyboard.Set();

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.EndsWith("[yes/no] \npolicyctl: interrupted; nothing was stored\n", result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, network.Session.Run("domain", "show", key).Code);
    }

    /// <summary>Where somebody presses Ctrl-C instead of an answer, and the read itself goes on.</summary>
    private sealed class Keyboard(Interruption interruption, ManualResetEventSlim end) : MemoryStream
    {
        public override int ReadByte()
        {
            interruption.Interrupt();
            end.Wait();
            return -1;
        }
    }

    [Fact]
    public async Task First_sight_takes_a_reason_and_shows_for_ever()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);

        Assert.Equal(ExitCode.Usage, network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", "--trust-first-sight").Code);
        Assert.Empty(network.Dns.Questions);
        var result = network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", "--trust-first-sight", "--reason", "test system");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("\tactive\ttofu\t", network.Session.Succeed("pin", "list", key), StringComparison.Ordinal);
        Assert.Contains("test system", network.Session.Succeed("audit", key), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_at_the_keyboard_gets_the_ways_out()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);

        var result = network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe");

        Assert.Equal(ExitCode.Usage, result.Code);
        foreach (var way in (string[])["--yes", "--expect", "--trust-first-sight"])
            Assert.Contains(way, result.Error, StringComparison.Ordinal);
        Assert.Empty(network.Dns.Questions);
    }

    [Fact]
    public async Task Yes_accepts_DANE_evidence_and_nothing_else()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Serve(Own);
        var proven = network.Domain("proven.test", "mx.proven.test", true, "127.0.0.1");
        network.Tlsa("mx.proven.test", Own);
        var unsigned = network.Domain("unsigned.test", "mx.unsigned.test", false, "127.0.0.1");
        network.Tlsa("mx.unsigned.test", Own, secure: false);

        var refused = network.Session.Run("domain", "add", unsigned, "--level", "fingerprint", "--probe", "--yes");
        Assert.Equal(ExitCode.Negative, refused.Code);
        Assert.Contains("--yes accepts keys with DANE evidence only; nothing was changed", refused.Error, StringComparison.Ordinal);
        Assert.Contains(ProbedNetwork.KeyPin(Own), refused.Error, StringComparison.Ordinal);

        network.Session.Succeed("domain", "add", proven, "--level", "fingerprint", "--probe", "--yes");
        Assert.Contains("\tactive\tdane\t", network.Session.Succeed("pin", "list", proven), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, network.Session.Run("domain", "show", unsigned).Code);
    }

    [Fact]
    public async Task Yes_does_not_take_a_trusted_chain_or_an_untrusted_resolvers_word()
    {
        await using var network = new ProbedNetwork(trusted: false);
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", true, "127.0.0.1");
        network.Tlsa("mx.partner.test", Public);

        Assert.Equal(ExitCode.Negative, network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", "--yes").Code);
    }

    [Fact]
    public async Task A_TLSA_record_that_does_not_match_is_no_evidence_for_anybody()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", true, "127.0.0.1");
        network.Tlsa("mx.partner.test", Other);

        var result = network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", "--yes");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains("none, and worse: a DNSSEC-secure TLSA record exists and does not match", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_persons_yes_to_an_authenticated_trusted_chain_is_webpki()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", true, "127.0.0.1");
        network.Session.Person = true;
        network.Session.Input = "yes\n";

        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--probe");

        Assert.Contains("\tactive\twebpki\t", network.Session.Succeed("pin", "list", key), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Expect_accepts_exactly_that_pin_and_fails_where_another_is_seen()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);

        var wrong = network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", "--expect", ProbedNetwork.KeyPin(Other));
        Assert.Equal(ExitCode.Negative, wrong.Code);
        Assert.Contains($"expected {ProbedNetwork.KeyPin(Other)}, which was not seen\n", wrong.Error, StringComparison.Ordinal);
        Assert.Contains($"seen     {ProbedNetwork.KeyPin(Own)} (public key), {ProbedNetwork.CertificatePin(Own)} (certificate) at mx.partner.test [127.0.0.1]\n", wrong.Error, StringComparison.Ordinal);

        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--probe", "--expect", ProbedNetwork.CertificatePin(Own));
        Assert.Contains($"{ProbedNetwork.CertificatePin(Own)}\tsha256\tcertificate\tactive\tperson\t", network.Session.Succeed("pin", "list", key), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("as openssl x509 prints it")]
    [InlineData("with its digest")]
    [InlineData("as openssl dgst prints it")]
    [InlineData("in groups of four")]
    public async Task What_is_expected_is_written_in_the_forms_that_name_a_pin(string form)
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);

        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--probe", "--expect", DomainTests.InForm(ProbedNetwork.CertificatePin(Own), form));

        Assert.Contains($"{ProbedNetwork.CertificatePin(Own)}\tsha256\tcertificate\tactive\tperson\t", network.Session.Succeed("pin", "list", key), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Expect_fails_where_one_address_of_two_shows_another_key()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Own);
        network.Serve(Other, "127.0.0.2");
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1", "127.0.0.2");

        Assert.Equal(
            ExitCode.Negative, network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", "--expect", ProbedNetwork.KeyPin(Own)).Code);
        network.Session.Succeed(
            "domain", "add", key, "--level", "fingerprint", "--probe", "--expect", ProbedNetwork.KeyPin(Own), "--expect", ProbedNetwork.KeyPin(Other));
    }

    [Fact]
    public async Task A_dry_run_shows_the_answers_and_changes_nothing()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);

        var result = network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", "--dry-run");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Equal($"{key}\tadd\t(not configured)\tfingerprint match={ProbedNetwork.KeyPin(Own)}\t-\n", result.Out);
        Assert.Contains($"Seen at {key}:", result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, network.Session.Run("domain", "show", key).Code);
    }

    [Fact]
    public async Task What_was_seen_is_remembered_so_that_the_next_probe_goes_on_from_it()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);
        var server = network.Serve(Other, "127.0.0.9");
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--probe", "--expect", ProbedNetwork.KeyPin(Own));

        using var ledger = new PolicyDaemon.Store.Probing.ProbeLedger(
            network.Session.Store, PolicyDaemon.Tests.Core.Policies.Entries.Sha256, network.Session.Time);
        var state = ledger.Read(PolicyDaemon.Core.Destinations.NextHop.Parse(key))!;

        Assert.Equal(network.Session.Time.GetUtcNow(), state.LastProbe);
        Assert.Equal(["mx.partner.test"], state.TrustedHosts!);
        Assert.Equal(Own.RawData, ledger.ReadHistory(Assert.Single(state.Targets).Target).CertificateRuns[0].Certificate!.Der);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task Nothing_reached_is_inconclusive_and_nothing_is_stored()
    {
        await using var network = new ProbedNetwork();
        network.Dns.AddMx("gone.test", 10, "mx.gone.test");
        network.Dns.AddHost("mx.gone.test", false, "127.0.0.9");

        var result = network.Session.Run("domain", "add", "gone.test:9", "--level", "fingerprint", "--probe", "--yes");

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.Contains("no server showed a certificate; nothing was changed", result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, network.Session.Run("domain", "add", "nowhere.test", "--level", "fingerprint", "--probe", "--yes").Code);
    }

    [Theory]
    [InlineData("--level", "secure", "--probe", "--yes")] // pins are for fingerprint
    [InlineData("--level", "fingerprint", "--yes", "--dry-run")] // without --probe
    [InlineData("--level", "fingerprint", "--probe-as", "mx.partner.test")] // not a leading dot
    public async Task Options_that_do_not_go_together_are_refused(params string[] options)
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);

        Assert.Equal(ExitCode.Usage, network.Session.Run(["domain", "add", key, .. options]).Code);
        Assert.Empty(network.Dns.Questions);
    }

    [Fact]
    public async Task A_pin_in_another_digest_cannot_be_expected()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);
        var sha1 = ProbedNetwork.Seen(Own).Digest(PinSubject.PublicKey, DigestAlgorithm.Sha1).Hex;

        Assert.Equal(
            ExitCode.Invalid, network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", "--expect", sha1).Code);
    }

    [Fact]
    public async Task A_leading_dot_remembers_the_hosts_to_probe()
    {
        await using var network = new ProbedNetwork();
        network.Dns.AddHost("mx.partner.test", false, "127.0.0.9");

        var nothing = network.Session.Run("domain", "add", ".partner.test", "--level", "fingerprint", "--probe", "--yes");
        Assert.Equal(ExitCode.Negative, nothing.Code);
        Assert.Contains("--probe-as NAME", nothing.Error, StringComparison.Ordinal);
        network.Session.Succeed("domain", "add", ".partner.test", "--level", "encrypt", "--probe-as", "mx.partner.test", "--probe-as", "mx2.partner.test");
        Assert.Contains("probe as\tmx.partner.test, mx2.partner.test\n", network.Session.Succeed("domain", "show", ".partner.test"), StringComparison.Ordinal);
        network.Session.Succeed("domain", "set", ".partner.test", "--probe-as", "mx3.partner.test");
        Assert.Contains("probe as\tmx3.partner.test\n", network.Session.Succeed("domain", "show", ".partner.test"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Set_pins_the_new_key_beside_the_old_one()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Other));

        network.Session.Succeed("domain", "set", key, "--probe", "--expect", ProbedNetwork.KeyPin(Own));

        Assert.Equal(2, network.Session.Succeed("pin", "list", key).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        // Once more changes nothing.
        Assert.Contains("It is so already", network.Session.Run("domain", "set", key, "--probe", "--yes").Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Set_carries_a_SHA_1_pin_over_and_enforces_the_entry_with_it()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);
        var sha1 = ProbedNetwork.Seen(Own).Digest(PinSubject.Certificate, DigestAlgorithm.Sha1).Hex;
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", sha1, "--observe");

        network.Session.Succeed("domain", "set", key, "--probe", "--yes", "--enforce");

        var pins = network.Session.Succeed("pin", "list", key);
        Assert.Contains($"{sha1}\tsha1\tunknown\tretired\tperson\t", pins, StringComparison.Ordinal);
        Assert.Contains($"{ProbedNetwork.CertificatePin(Own)}\tsha256\tcertificate\tactive\tperson\t", pins, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_that_is_there_already_is_refused_before_anybody_is_asked()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, Own);
        network.Session.Succeed("domain", "add", key, "--level", "encrypt");

        Assert.Equal(ExitCode.Invalid, network.Session.Run("domain", "add", key, "--level", "fingerprint", "--probe", "--yes").Code);
        Assert.Empty(network.Dns.Questions);
    }

    [Fact]
    public async Task Both_certificates_of_a_server_with_two_are_pinned()
    {
        await using var network = new ProbedNetwork();
        var rsa = TestCertificates.Create(["mx.partner.test"], selfSigned: true, rsa: true);
        var turn = 0;
        network.Serve(FakeSmtpConnection.Polite(
            () => Interlocked.Increment(ref turn) % 2 == 1 ? Own : rsa, System.Security.Authentication.SslProtocols.Tls12));
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");

        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--probe", "--trust-first-sight", "--reason", "test");

        var pins = network.Session.Succeed("pin", "list", key);
        Assert.Contains(ProbedNetwork.KeyPin(Own), pins, StringComparison.Ordinal);
        Assert.Contains(ProbedNetwork.KeyPin(rsa), pins, StringComparison.Ordinal);
    }

    private static string Partner(ProbedNetwork network, X509Certificate2 certificate)
    {
        network.Serve(certificate);
        return network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
    }
}
