using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed partial class CheckTests
{
    private static readonly X509Certificate2 Public = TestCertificates.Issued("mx.partner.test", "mail.partner.test");
    private static readonly X509Certificate2 Own = TestCertificates.SelfSigned("mx.partner.test");
    private static readonly X509Certificate2 Other = TestCertificates.SelfSigned("mx.partner.test");

    [Fact]
    public async Task A_partner_that_does_everything_right_is_a_pleasure_to_read()
    {
        await using var network = new ProbedNetwork(trusted: true);
        await using var policy = new FakePolicyHost(
            TestCertificates.Issued("mta-sts.partner.test"),
            FakePolicyHost.Ok("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.partner.test\n"));
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", true, "127.0.0.1", "127.0.0.2");
        network.Tlsa("mx.partner.test", Public);
        network.Dns.AddHost("mta-sts.partner.test", false, "127.0.0.1");
        network.Text("_mta-sts.partner.test", "v=STSv1; id=2026;");
        network.Session.PolicyPort = policy.Port;

        var result = network.Session.Run("check", key, "--format", "table");

        Assert.Equal("", result.Error);
        Assert.Equal(
            $"""
             partner.test:{network.Port}
               dns             1 MX host, DNSSEC secure
               resolver        {network.Dns.EndPoint}, trusted, passed its self-test
               mta-sts         enforce, max_age 604800 (7 days), id 2026, mx mx.partner.test
               entry           none: Postfix uses smtp_tls_security_level = may (assumed), at which mail is delivered

             mx.partner.test, preference 10
               addresses       2 addresses, DNSSEC secure
               tlsa            3 1 1 {ProbedNetwork.KeyPin(Public)}; DNSSEC secure
               127.0.0.1 port {network.Port}
                 outcome       secured TLSv1.3 TLS_AES_256_GCM_SHA384
                 stages        connect 0 ms, greeting 0 ms, ehlo 0 ms, starttls 0 ms, handshake 0 ms, secure-ehlo 0 ms, quit 0 ms
                 certificate   CN=mx.partner.test
                 names         mx.partner.test, mail.partner.test
                 issuer        CN=Test root
                 valid         until 2027-03-03T12:00:00Z, 100 days left
                 webpki        trusted, and for mx.partner.test
                 signed with   sha256ECDSA
                 key           ECDSA 256 bits
                 key pin       {ProbedNetwork.KeyPin(Public)}
                 cert pin      {ProbedNetwork.CertificatePin(Public)}
                 dane          match
                               it has no certificate with an RSA key: a second connection asked for one
               127.0.0.2 port {network.Port}
                 outcome       connection-refused at connect: connection refused
                 stages        connect 0 ms

             If enforced now
               dane-only       delivered
               secure          delivered
               fingerprint     delivered, once the keys seen now are pinned
               encrypt         delivered
               may             delivered
               verify          delivered
               dane            delivered
               none            delivered in plain text

             Mail
               now             would be delivered if enforced now at level dane-only
               strongest       dane-only
               set it          policyctl domain add partner.test:{network.Port} --level dane-only
               note            1 address could not be seen; what it would show is not known
               note            dane-only needs a Postfix that resolves with DNSSEC (smtp_dns_support_level = dnssec); policyctl setup says whether it does

             """,
            Assumptions().Replace(result.Out, ""));
        Assert.Contains(
            "  assumes         smtp_tls_security_level = may (assumed); smtp_mx_address_limit = 5 (assumed); inet_protocols = all (assumed); "
            + "smtp_address_preference = any (assumed); smtp_tls_protocols = >=TLSv1 (assumed); smtp_tls_mandatory_protocols = >=TLSv1 (assumed); "
            + "smtp_tls_dane_insecure_mx_policy = dane (assumed); ",
            result.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, result.Code);
    }

    [Fact]
    public async Task The_rows_have_the_command_as_it_is_pasted_and_the_level_with_what_it_takes()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Public);
        var key = network.Domain("other.test", "mx.partner.test", true, "127.0.0.1");

        var rows = network.Session.RunWith("check", key, "--config", network.Session.Config).Out.Split('\n').Select(row => row.Split('\t')).ToList();

        var level = Assert.Single(rows, row => row is [_, "strongest", _])[2];
        Assert.StartsWith("secure match=", level, StringComparison.Ordinal);
        Assert.StartsWith($"policyctl --config {network.Session.Config} domain add {key} --level secure --match ", Assert.Single(rows, row => row is [_, "command", _])[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Behind_injected_text_a_handshake_that_fails_is_what_mail_meets()
    {
        await using var network = new ProbedNetwork();
        network.Serve(async connection =>
        {
            await connection.UpToStartTlsAsync();
            await connection.SendAsync("220 go ahead\r\n250 injected\r\n");
            await connection.ReadOctetAsync();
            await connection.SendAsync("this is not TLS\r\n");
        });
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");

        var rows = network.Session.Run("check", key).Out;

        Assert.Contains("\tlevel encrypt\tmismatch: deferred: mx.partner.test [127.0.0.1] handshake-failed", rows, StringComparison.Ordinal);
        Assert.Contains("\tlevel may\t", rows, StringComparison.Ordinal);
        Assert.Contains("delivered in plain text, after a wait", rows, StringComparison.Ordinal);
        Assert.Contains("\toutcome\tplaintext-injected\n", rows, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pin_that_no_longer_matches_stands_beside_what_was_seen()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Other));

        var result = network.Session.Run("check", key, "--format", "table");

        Assert.Contains($"    key pin       {ProbedNetwork.KeyPin(Own)}\n", result.Out, StringComparison.Ordinal);
        Assert.Contains($"    pin           MISMATCH, expected {ProbedNetwork.KeyPin(Other)}\n", result.Out, StringComparison.Ordinal);
        Assert.Contains(
            "  now             deferred at level fingerprint, and tried again until it is returned: mx.partner.test [127.0.0.1] pin-mismatch (validation-failure)\n",
            result.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, result.Code);

        network.Session.Succeed("pin", "add", key, ProbedNetwork.KeyPin(Own));
        result = network.Session.Run("check", key, "--format", "table");
        Assert.Contains($"match: {ProbedNetwork.KeyPin(Own)} (public key, standby, person)", result.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, result.Code);
    }

    [Fact]
    public async Task Nothing_is_stored()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Other));
        var before = network.Session.Succeed("audit") + network.Session.Succeed("pin", "list");

        network.Session.Run("check", key);

        Assert.Equal(before, network.Session.Succeed("audit") + network.Session.Succeed("pin", "list"));
    }

    [Fact]
    public async Task Without_a_store_the_servers_are_probed_all_the_same()
    {
        await using var network = new ProbedNetwork(init: false);
        network.Serve(Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");

        var result = network.Session.Run("check", key, "--format", "table");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("entry           unknown, the store cannot be read", result.Out, StringComparison.Ordinal);
        Assert.Contains($"set it          policyctl domain add {key} --level fingerprint --probe\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("a key seen once proves nothing about whose it is", result.Out, StringComparison.Ordinal);
    }

    /// <summary>Somebody else may answer: what fits to the answer must not become the policy.</summary>
    [Fact]
    public async Task Where_the_records_of_the_domain_do_not_match_no_level_is_proposed()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", true, "127.0.0.1");
        network.Tlsa("mx.partner.test", TestCertificates.SelfSigned("mx.partner.test"));

        var result = network.Session.Run("check", key, "--format", "table");

        Assert.DoesNotContain("policyctl domain add", result.Out, StringComparison.Ordinal);
        Assert.Contains("a server shows a certificate that the domain's TLSA records do not match, and somebody else may answer", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_untrusted_resolver_proves_nothing_whatever_it_sets()
    {
        await using var network = new ProbedNetwork(trusted: false);
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", true, "127.0.0.1");
        network.Tlsa("mx.partner.test", Public);

        var result = network.Session.Run("check", key, "--format", "table");

        Assert.Contains("not marked trusted (resolver_trusted): what it says of DNSSEC does not count", result.Out, StringComparison.Ordinal);
        Assert.Contains("dane-only       cannot be told: no trusted resolver says whether DNSSEC secures the records (resolver_trusted)\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("dane          unknown: no trusted resolver", result.Out, StringComparison.Ordinal);
        Assert.Contains("there are TLSA records: with a validating resolver on this machine and resolver_trusted = yes", result.Out, StringComparison.Ordinal);
        Assert.Contains($"policyctl domain add {key} --level secure\n", result.Out, StringComparison.Ordinal);

        network.Session.Succeed("domain", "add", key, "--level", "dane-only");
        result = network.Session.Run("check", key, "--format", "table");
        Assert.Contains("cannot be told at level dane-only: no trusted resolver says", result.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Inconclusive, result.Code);
    }

    [Fact]
    public async Task Signed_TLSA_records_do_not_help_dane_only_where_the_MX_records_are_not_signed()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Serve(Public);
        network.Dns.AddMx("partner.test", 10, "mx.partner.test", false);
        network.Dns.AddHost("mx.partner.test", true, "127.0.0.1");
        network.Tlsa("mx.partner.test", Public);
        var key = $"partner.test:{network.Port}";
        network.Session.Succeed("domain", "add", key, "--level", "dane-only");

        var result = network.Session.Run("check", key, "--format", "table");

        Assert.Contains("deferred at level dane-only, and tried again until it is returned: mx.partner.test [127.0.0.1] dane-required", result.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, result.Code);
        network.Session.Succeed("domain", "set", key, "--level", "dane", "--reason", "test");
        Assert.Equal(ExitCode.Done, network.Session.Run("check", key).Code);
    }

    [Fact]
    public async Task A_resolver_that_fails_its_self_test_is_named()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Dns.AlwaysAuthentic = true;
        network.Dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Records = [("bogus.test", FakeDnsServer.A, [192, 0, 2, 1])] });
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", true, "127.0.0.1");

        var text = network.Session.Run("check", key, "--format", "table").Out;

        Assert.Contains("trusted, but its self-test failed: bogus.test must come back bogus and was answered", text, StringComparison.Ordinal);
        Assert.Contains("DNSSEC status unknown", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_domain_that_takes_no_mail_and_one_that_does_not_exist_are_negative_and_no_answer_is_neither()
    {
        await using var network = new ProbedNetwork();
        network.Dns.AddMx("null.test", 0, ".");
        network.Dns.Set("dead.test", FakeDnsServer.Mx, new FakeDnsReply { Code = 2 });

        var nullMx = network.Session.Run("check", "null.test", "--format", "table");
        var none = network.Session.Run("check", "nowhere.test", "--format", "table");
        var dead = network.Session.Run("check", "dead.test", "--format", "table");

        Assert.Equal((ExitCode.Negative, ExitCode.Negative, ExitCode.Inconclusive), (nullMx.Code, none.Code, dead.Code));
        Assert.Contains("null-mx: null.test takes no mail (null MX, RFC 7505)", nullMx.Out, StringComparison.Ordinal);
        Assert.Contains("no-mx: nowhere.test does not exist", none.Out, StringComparison.Ordinal);
        Assert.Contains("the lookup failed here, which says nothing about the destination", dead.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/run/lmtp", "a key with a slash is the path of an LMTP socket, which has no MX host to probe")]
    [InlineData("partner.test:no-such-service", "write the port's number")]
    public async Task A_key_that_only_Postfix_can_follow_is_inconclusive(string key, string why)
    {
        await using var network = new ProbedNetwork();

        var result = network.Session.Run("check", key);

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.Contains(why, result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bogus_answer_is_called_by_its_result_type()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Dns.AddMx("forged.test", 10, "mx.forged.test");
        network.Dns.Set("forged.test", FakeDnsServer.Mx, new FakeDnsReply { Bogus = true });

        var result = network.Session.Run("check", "forged.test", "--format", "table");

        Assert.Contains("dns             bogus (dnssec-invalid): ", result.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, result.Code);
    }

    [Fact]
    public async Task Nobody_there_is_inconclusive()
    {
        await using var network = new ProbedNetwork();
        network.Dns.AddMx("gone.test", 10, "mx.gone.test");
        network.Dns.AddHost("mx.gone.test", false, "127.0.0.9");

        var result = network.Session.Run("check", "gone.test:9", "--format", "table");

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.Contains("no address could be reached from here", result.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("set it", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_STARTTLS_gets_plain_text_only()
    {
        await using var network = new ProbedNetwork();
        network.Serve(async connection =>
        {
            await connection.SendAsync("220 mx ESMTP\r\n");
            await connection.ReadCommandAsync();
            await connection.SendAsync("250 mx\r\n");
            await connection.ReadCommandAsync();
        });
        var key = network.Domain("plain.test", "mx.plain.test", false, "127.0.0.1");

        var result = network.Session.Run("check", key, "--format", "table");

        Assert.Contains("outcome       starttls-not-supported at ehlo: EHLO does not offer STARTTLS", result.Out, StringComparison.Ordinal);
        Assert.Contains("only in plain text", result.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, result.Code);
    }

    [Fact]
    public async Task What_a_server_says_cannot_steer_the_terminal()
    {
        await using var network = new ProbedNetwork();
        network.Serve(async connection =>
        {
            await connection.SendAsync("554 \u001b[2J\u001b]0;owned\u0007 go away\r\n");
            await connection.ReadCommandAsync();
        });
        var key = network.Domain("rude.test", "mx.rude.test", false, "127.0.0.1");

        foreach (var format in (string[])["table", "tsv", "json"])
        {
            var text = network.Session.Run("check", key, "--format", format).Out;
            Assert.DoesNotContain('\u001b', text);
            Assert.DoesNotContain('\u0007', text);
            Assert.Contains("greeting-permanent", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_certificate_with_two_hundred_names_shows_some_and_counts_the_rest()
    {
        await using var network = new ProbedNetwork();
        network.Serve(TestCertificates.Issued([.. Enumerable.Range(1, 200).Select(number => $"host{number}.partner.test")]));
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");

        var text = network.Session.Run("check", key, "--format", "table").Out;
        using var json = JsonDocument.Parse(network.Session.Run("check", key, "--format", "json").Out);

        Assert.Contains("host6.partner.test and 194 more\n", text, StringComparison.Ordinal);
        var certificate = json.RootElement.GetProperty("observations")[0].GetProperty("certificates")[0];
        Assert.Equal((100, 200), (certificate.GetProperty("names").GetArrayLength(), certificate.GetProperty("name_count").GetInt32()));
    }

    [Fact]
    public async Task An_RSA_and_an_ECDSA_certificate_are_both_shown_and_judged()
    {
        await using var network = new ProbedNetwork();
        var rsa = TestCertificates.Create(["mx.partner.test"], selfSigned: true, rsa: true);
        var both = 0;
        // An ordinary client first, then the one that only takes RSA.
        network.Serve(FakeSmtpConnection.Polite(
            () => Interlocked.Increment(ref both) % 2 == 1 ? Own : rsa, SslProtocols.Tls12));
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Own));

        var result = network.Session.Run("check", key, "--format", "tsv");

        Assert.Contains($"\tecdsa pin\tmatch: {ProbedNetwork.KeyPin(Own)} (public key, standby, person)\n", result.Out, StringComparison.Ordinal);
        Assert.Contains($"\trsa pin\tMISMATCH, expected {ProbedNetwork.KeyPin(Own)}\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("\trsa key\tRSA 2048 bits\n", result.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, result.Code);
    }

    [Fact]
    public async Task Of_a_server_of_TLS_1_3_only_it_is_said_why_there_may_be_another_certificate()
    {
        await using var network = new ProbedNetwork();
        network.Serve(FakeSmtpConnection.Polite(() => Own, SslProtocols.Tls13));
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");

        var result = network.Session.Run("check", key, "--format", "table");

        Assert.Contains(
            "it refuses TLS 1.2, in which alone a second connection can ask for a certificate of the other key algorithm\n", result.Out,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_is_shown_only_with_SNI_is_found_and_the_command_says_so()
    {
        await using var network = new ProbedNetwork();
        FakeSmtpServer? server = null;
        server = network.Serve(() => server!.ServerNames.LastOrDefault() == "mx.partner.test" ? Public : Own);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");

        var result = network.Session.Run("check", key, "--format", "table");

        Assert.Contains("when mx.partner.test is sent as SNI, another certificate is shown:", result.Out, StringComparison.Ordinal);
        Assert.Contains($"policyctl domain add {key} --level secure --servername hostname\n", result.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[mx.partner.test]:PORT")]
    [InlineData("[127.0.0.1]:PORT")]
    [InlineData("127.0.0.1:PORT")]
    public async Task Keys_that_name_a_host_need_no_MX_record(string key)
    {
        await using var network = new ProbedNetwork();
        network.Serve(Own);
        network.Dns.AddHost("mx.partner.test", false, "127.0.0.1");
        key = key.Replace("PORT", $"{network.Port}", StringComparison.Ordinal);

        var result = network.Session.Run("check", key, "--format", "table");

        Assert.Contains("the key names the host, no MX lookup", result.Out, StringComparison.Ordinal);
        Assert.Contains("outcome       secured", result.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, result.Code);
    }

    [Fact]
    public async Task A_leading_dot_is_probed_at_its_domain_or_at_the_host_that_is_named()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Own);
        network.Dns.AddHost("mx.partner.test", false, $"127.0.0.1");

        var nowhere = network.Session.Run("check", ".partner.test", "--format", "table");
        Assert.Equal(ExitCode.Inconclusive, nowhere.Code);
        Assert.Contains("cannot be told: partner.test takes no mail itself, and its subdomains have servers of their own", nowhere.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("5.4.4", nowhere.Out, StringComparison.Ordinal);
        network.Dns.AddMx("partner.test", 10, "mx.partner.test", false);
        Assert.Contains("mx.partner.test", network.Session.Run("check", ".partner.test", "--format", "table").Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, network.Session.Run("check", ".partner.test", "--probe-as", "not a host").Code);
        // Port 25 of loopback is nobody's: the host was looked for and not reached.
        Assert.Contains(
            "mx.partner.test", network.Session.Run("check", ".partner.test", "--probe-as", "mx.partner.test", "--format", "table").Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Other_names_at_the_level_that_is_configured_come_with_the_command_that_sets_them(bool isSigned)
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Serve(TestCertificates.Issued("mx.provider.test"));
        var key = network.Domain("partner.test", "mx.provider.test", isSigned, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "secure", "--match", "mx.former.test");
        var command = $"domain set {key} --level secure --match mx.provider.test --reason 'confirmed by the partner'";

        var found = network.Session.Run("check", key);
        Assert.Equal(ExitCode.Negative, found.Code);
        // Whoever forges DNS that is not signed could have the certificate, too.
        Assert.Equal(isSigned, found.Out.Split('\n').Any(row => row.Contains("\tcommand\t", StringComparison.Ordinal) && row.Contains(command, StringComparison.Ordinal)));
        Assert.Equal(!isSigned, found.Out.Split('\n').Any(row => row.Contains("ask the partner over another channel whether it is theirs; if it is: ", StringComparison.Ordinal) && row.Contains(command, StringComparison.Ordinal)));

        network.Session.Succeed("domain", "set", key, "--level", "secure", "--match", "mx.provider.test", "--reason", "confirmed by the partner");
        var mended = network.Session.Run("check", key);
        Assert.Equal(ExitCode.Done, mended.Code);
        Assert.DoesNotContain("domain set", mended.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_alias_as_MX_host_and_an_implicit_MX_are_said()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Own);
        network.Dns.AddMx("alias.test", 10, "mail.alias.test");
        foreach (var type in (int[])[FakeDnsServer.A, FakeDnsServer.Aaaa])
        {
            network.Dns.Set("mail.alias.test", type, new FakeDnsReply
            {
                Records =
                [
                    ("mail.alias.test", FakeDnsServer.CName, FakeDnsServer.WireName("host.provider.test")),
                    .. type == FakeDnsServer.A ? [("host.provider.test", FakeDnsServer.A, (byte[])[127, 0, 0, 1])] : Array.Empty<(string, int, byte[])>(),
                ],
            });
        }

        network.Dns.AddHost("implicit.test", false, "127.0.0.1");

        Assert.Contains(
            "an alias (CNAME) of host.provider.test", network.Session.Run("check", $"alias.test:{network.Port}", "--format", "table").Out, StringComparison.Ordinal);
        Assert.Contains(
            "(implicit MX)", network.Session.Run("check", $"implicit.test:{network.Port}", "--format", "table").Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_narrow_terminal_gets_lines_that_fit()
    {
        await using var network = new ProbedNetwork(trusted: true);
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", true, "127.0.0.1", "127.0.0.2");
        network.Session.Width = 60;

        var lines = network.Session.Run("check", key, "--format", "table").Out.Split('\n');

        // What is to be copied stays whole: fingerprints and commands.
        Assert.All(lines, line => Assert.True(
            line.Length <= 60 || line.Contains("policyctl domain", StringComparison.Ordinal) || line.TrimEnd().Split(' ')[^1].Length == 64, line));
    }

    [Fact]
    public async Task A_policy_that_does_not_cover_the_MX_hosts_is_said_and_one_that_cannot_be_fetched_is_named()
    {
        await using var network = new ProbedNetwork();
        await using var policy = new FakePolicyHost(
            TestCertificates.Issued("mta-sts.partner.test"),
            FakePolicyHost.Ok("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: *.elsewhere.test\n"));
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Dns.AddHost("mta-sts.partner.test", false, "127.0.0.1");
        network.Text("_mta-sts.partner.test", "v=STSv1; id=2026;");
        network.Session.PolicyPort = policy.Port;

        Assert.Contains(
            "mx *.elsewhere.test; does not cover mx.partner.test (validation-failure)", network.Session.Run("check", key, "--format", "table").Out, StringComparison.Ordinal);
        network.Session.PolicyPort = network.Port;
        Assert.Contains("mta-sts         sts-policy-fetch-error: ", network.Session.Run("check", key, "--format", "table").Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_ends_it()
    {
        await using var network = new ProbedNetwork();
        using var interruption = new Interruption();
        network.Session.Interruption = interruption;
        network.Serve(async connection =>
        {
            interruption.Interrupt();
            await connection.HangAsync();
        });
        var key = network.Domain("slow.test", "mx.slow.test", false, "127.0.0.1");

        var result = network.Session.Run("check", key);

        Assert.Equal((ExitCode.Inconclusive, "", "policyctl: interrupted; nothing was stored\n"), (result.Code, result.Out, result.Error));
    }

    [Fact]
    public async Task An_entry_that_is_only_observed_is_judged_as_if_it_were_enforced()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Own);
        network.Dns.AddHost("mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", $"[mx.partner.test]:{network.Port}", "--level", "secure", "--observe");

        var text = network.Session.Run("check", $"[mx.partner.test]:{network.Port}", "--format", "table").Out;

        Assert.Contains("secure, only observed\n", text, StringComparison.Ordinal);
        Assert.Contains(
            $"would be deferred if enforced now at level secure, and tried again until it is returned: mx.partner.test [127.0.0.1] {ProbeOutcome.CertificateNotTrusted.Name()}",
            text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_raises_what_is_configured_enforces_what_is_observed_and_is_left_out_where_nothing_is_to_be_done()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Public);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        string? command() => JsonDocument.Parse(network.Session.Run("check", key, "--format", "json").Out).RootElement.GetProperty("command").GetString();

        network.Session.Succeed("domain", "add", key, "--level", "encrypt");
        Assert.Equal($"policyctl domain set {key} --level secure", command());
        network.Session.Succeed("domain", "set", key, "--level", "secure");
        Assert.Null(command());
        network.Session.Succeed("domain", "set", key, "--observe", "--reason", "test");
        Assert.Equal($"policyctl domain set {key} --enforce", command());
    }

    [GeneratedRegex(@"^ +assumes .*\n", RegexOptions.Multiline)]
    private static partial Regex Assumptions();
}
