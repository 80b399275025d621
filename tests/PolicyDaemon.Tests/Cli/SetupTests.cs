using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Setup.Checks;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class SetupTests
{
    [Fact]
    public void A_postfix_that_fits_has_no_problem()
    {
        Assert.DoesNotContain(Check(new PostconfText(), entries: [(TlsLevel.Secure, 2), (TlsLevel.Fingerprint, 3)]), result => result.Severity >= SetupSeverity.Warning);
    }

    public static TheoryData<string, string, string, string> Misfits => new()
    {
        { "smtp_tls_policy_maps=", "policy-map", "is not set: no policy is asked for", "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy'" },
        { "enable_idna2003_compatibility=yes", "idna", "such a domain is answered as another one", "postconf -e 'enable_idna2003_compatibility = no'" },
        {
            "smtp_tls_security_level=may # could also be secure if required", "default-level", "behind a value there is no comment",
            "postconf -e 'smtp_tls_security_level = may'"
        },
        { "smtp_tls_security_level=encrpt", "default-level", "is no level", "postconf -e 'smtp_tls_security_level = may'" },
        { "smtp_tls_policy_maps=hash:/etc/postfix/tls_policy", "policy-map", "does not ask policyd", "policyctl import --dry-run /etc/postfix/tls_policy" },
        {
            "smtp_tls_policy_maps=hash:/etc/postfix/tls_policy, socketmap:inet:127.0.0.1:8461:tlspolicy", "policy-map", "is asked before us",
            "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy, hash:/etc/postfix/tls_policy'"
        },
        { "smtp_tls_policy_maps=socketmap:inet:127.0.0.1:9999:tlspolicy", "policy-map", "but policyd is configured to listen on inet:127.0.0.1:8461", "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy'" },
        { "smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8461:pins", "policy-map", "the map name 'pins' is not served, all mail is deferred", "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy'" },
        { "smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8461:tlspolicy-tlsrpt", "policy-map", "is for Postfix 3.10 and later", "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy'" },
        { "smtp_tls_policy_maps=proxy:socketmap:inet:127.0.0.1:8461:tlspolicy", "policy-map", "proxy: is not needed", "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy'" },
        { "smtp_tls_policy_maps=tcp:127.0.0.1:8462", "policy-map", "socketmap is the better protocol", "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy'" },
        { "smtp_tls_fingerprint_digest=md5", "digest", "Postfix computes md5 and policyd serves sha256: no pin matches, mail for 3 pinned destinations waits", "postconf -e 'smtp_tls_fingerprint_digest = sha256'" },
        { "smtp_tls_CAfile=", "trust-anchors", "Postfix trusts no certification authority", "postconf -e 'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt'" },
        { "smtp_dns_support_level=enabled", "dane", "smtp_dns_support_level is not dnssec (1 at dane: sent at may, perhaps in plain text and 1 at dane-only: mail waits)", "postconf -e 'smtp_dns_support_level = dnssec'" },
        { "smtp_host_lookup=native", "dane", "smtp_host_lookup lacks dns", "postconf -e 'smtp_host_lookup = dns'" },
        { "ignore_mx_lookup_error=yes", "dane", "ignore_mx_lookup_error is on", "postconf -e 'ignore_mx_lookup_error = no'" },
        { "relayhost=[relay.example.net]:587", "routing", "entries for recipient domains are never asked for", "policyctl domain add '[relay.example.net]:587' --level secure" },
        { "default_transport=smtp:[relay.example.net]", "routing", "mail goes to the relay [relay.example.net]", "policyctl domain add '[relay.example.net]' --level secure" },
        { "smtp_tls_security_level=none", "default-level", "destinations without an entry get plain text", "postconf -e 'smtp_tls_security_level = may'" },
    };

    [Theory]
    [MemberData(nameof(Misfits))]
    public void A_misfit_is_named_with_the_command_that_settles_it(string setting, string check, string text, string command)
    {
        var equals = setting.IndexOf('=', StringComparison.Ordinal);

        var results = Check(new PostconfText((setting[..equals], setting[(equals + 1)..])), [(TlsLevel.Secure, 2), (TlsLevel.Fingerprint, 3), (TlsLevel.Dane, 1), (TlsLevel.DaneOnly, 1)]);

        var found = results.Where(result => result.Check == check && result.Text.Contains(text, StringComparison.Ordinal)).ToList();
        Assert.True(found.Count == 1, string.Join("\n", results.Select(result => $"{result.Check}: {result.Text}")));
        Assert.True(found[0].Severity >= SetupSeverity.Warning);
        Assert.Contains(command, found[0].Commands);
    }

    [Theory]
    [InlineData(0, "warning")]
    [InlineData(3, "problem")]
    public void A_table_that_is_left_behind_us_decides_about_entries_that_are_only_observed(int observed, string severity)
    {
        var found = Assert.Single(
            Check(new PostconfText(("smtp_tls_policy_maps", "socketmap:inet:127.0.0.1:8461:tlspolicy, hash:/etc/postfix/tls_policy")), [(TlsLevel.Secure, 5)], observed: observed),
            result => result.Text.Contains("is asked for whatever has no entry here", StringComparison.Ordinal));

        Assert.Equal(severity, found.Severity.Name());
        Assert.Equal(
            ["policyctl import --dry-run /etc/postfix/tls_policy", "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy'"], found.Commands);
    }

    public static TheoryData<string, string, string, string, string> OfForecasts => new()
    {
        { "smtp_mx_address_limit=2", "", "forecast", "warning", "in [postfix] of test.conf write: mx_address_limit = 2; security_level = may; inet_protocols = all" },
        { "smtp_mx_address_limit=2", "mx_address_limit = 2", "forecast", "note", "to have it said: in [postfix] of test.conf write: security_level = may; inet_protocols = all" },
        { "smtp_mx_address_limit=5", "security_level = may\nmx_address_limit = 5\ninet_protocols = all", "forecast", "ok", "go by the settings of main.cf" },
        { "smtp_tls_security_level=", "security_level = may\ninet_protocols = all", "forecast", "warning", "write: security_level = none" },
        { "smtp_tls_mandatory_protocols=!SSLv2, !SSLv3, !TLSv1", "", "forecast", "warning", "write: mandatory_protocols = !SSLv2, !SSLv3, !TLSv1;" },
        { "smtp_tls_mandatory_protocols=>=TLSv1", "", "forecast", "note", "mandatory_protocols = >=TLSv1" },
        { "smtp_tls_dane_insecure_mx_policy=may", "", "forecast", "warning", "write: dane_insecure_mx_policy = may;" },
        { "inet_protocols=ipv6, ipv4", "inet_protocols = all\nsecurity_level = may", "forecast", "ok", "" },
        { "inet_protocols=ipv4", "", "forecast", "warning", "write: inet_protocols = ipv4" },
        { "smtp_tls_CAfile=/etc/postfix/partners.pem", "", "authorities", "warning", "in [probe] of test.conf write: ca_file = /etc/postfix/partners.pem" },
        { "smtp_tls_CAfile=/etc/postfix/partners.pem", "[probe]\nca_file = /etc/postfix/partners.pem", "authorities", "ok", "as Postfix does" },
        { "smtp_tls_CAfile=/etc/ssl/certs/ca-certificates.crt", "[probe]\nca_file = /etc/postfix/partners.pem", "authorities", "warning", "Postfix trusts smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt and probes judge by /etc/postfix/partners.pem" },
        { "smtp_tls_CApath=/etc/postfix/authorities", "", "authorities", "warning", "gather the same authorities in one file" },
        { "smtp_tls_CApath=/etc/ssl/certs", "", "authorities", "ok", "" },
        { "smtp_helo_name=mail.example.org", "", "helo-name", "warning", "Postfix says EHLO mail.example.org and probes say EHLO here.example.org: servers may treat a probe otherwise than mail; in [probe] of test.conf write: helo_name = mail.example.org" },
        { "smtp_helo_name=here.example.org", "", "helo-name", "ok", "" },
        { "smtp_tls_exclude_ciphers=aNULL, RC4", "", "unregarded", "note", "do not regard smtp_tls_exclude_ciphers = aNULL, RC4: where it decides" },
        { "smtp_helo_name=mail.example.org", "[probe]\nhelo_name = mail.example.org", "helo-name", "ok", "probes say EHLO mail.example.org, as Postfix does" },
    };

    [Theory]
    [MemberData(nameof(OfForecasts))]
    public void What_forecasts_rest_on_is_compared_with_the_real_Postfix(string setting, string configured, string check, string severity, string text)
    {
        var equals = setting.IndexOf('=', StringComparison.Ordinal);

        var results = Check(new PostconfText((setting[..equals], setting[(equals + 1)..])), [(TlsLevel.Secure, 1)], postfix: configured);

        var found = Assert.Single(results, result => result.Check == check);
        Assert.Contains(text, found.Text, StringComparison.Ordinal);
        Assert.Equal(severity, found.Severity.Name());
    }

    [Fact]
    public void Without_any_authority_secure_and_verify_are_worth_a_word() => Assert.Contains(
        "mail would wait, whatever check says", Assert.Single(Check(new PostconfText(("smtp_tls_CAfile", "")), []), result => result.Check == "authorities").Text,
        StringComparison.Ordinal);

    [Fact]
    public void A_relay_with_an_entry_is_fine()
    {
        var results = Check(new PostconfText(("relayhost", "[relay.example.net]:submission")), [(TlsLevel.Secure, 1)], "[relay.example.net]:587");

        Assert.Equal(SetupSeverity.Ok, Assert.Single(results, result => result.Check == "routing").Severity);
    }

    [Theory]
    [InlineData("unix:/run/policydaemon/socketmap", "socketmap:unix:/run/policydaemon/socketmap:tlspolicy", "cannot reach /run/policydaemon/socketmap")]
    [InlineData("unix:/var/spool/postfix/policydaemon/socketmap", "socketmap:unix:/var/spool/postfix/policydaemon/socketmap:tlspolicy", "name the socket relative to the queue directory")]
    public void A_socket_out_of_reach_of_the_chroot(string endpoint, string map, string text)
    {
        var results = Check(new PostconfText(("smtp_tls_policy_maps", map)), [], null, endpoint);

        var reach = Assert.Single(results, result => result.Check == "reachability");
        Assert.Equal(SetupSeverity.Problem, reach.Severity);
        Assert.Contains("smtp/unix, relay/unix run chrooted", reach.Text, StringComparison.Ordinal);
        Assert.Contains(text, reach.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_socket_named_relative_to_the_queue_directory_is_reached_in_and_out_of_the_chroot()
    {
        var results = Check(
            new PostconfText(("smtp_tls_policy_maps", "socketmap:unix:policydaemon/socketmap:tlspolicy")), [], null, "unix:/var/spool/postfix/policydaemon/socketmap");

        Assert.Equal(SetupSeverity.Ok, Assert.Single(results, result => result.Check == "reachability").Severity);
        Assert.Equal(SetupSeverity.Ok, Assert.Single(results, result => result.Check == "policy-map").Severity);
    }

    [Fact]
    public void A_socket_below_the_queue_directory_is_proposed_relative_to_it()
    {
        var results = Check(new PostconfText(("smtp_tls_policy_maps", "")), [], null, "unix:/run/x/socketmap, unix:/var/spool/postfix/policydaemon/socketmap");

        Assert.Contains("postconf -e 'smtp_tls_policy_maps = socketmap:unix:policydaemon/socketmap:tlspolicy'", Assert.Single(results, result => result.Check == "policy-map").Commands);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public void Where_SELinux_enforces_the_socket_gets_a_label(bool enforces, int count)
    {
        var settings = SettingsReader.Parse("x.conf", "[lookup]\nsocketmap = inet:127.0.0.1:8461, unix:/var/spool/postfix/policydaemon/socketmap\n"u8);
        var subject = new SetupSubject(
            new PostconfText().Read(), settings, new Dictionary<TlsLevel, long>(), _ => false) { SelinuxEnforces = enforces };

        var labels = SetupChecks.Run(subject).Where(result => result.Check == "selinux").ToList();

        Assert.Equal(count, labels.Count);
        Assert.All(labels, label => Assert.Equal("restorecon -R /var/spool/postfix/policydaemon", label.Commands[1]));
        Assert.All(labels, label => Assert.Contains("have not been tested", label.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_transport_with_a_table_of_its_own_is_found()
    {
        var text = new PostconfText { Overrides = "relay/unix/smtp_tls_policy_maps = static:may\n" };

        var result = Assert.Single(Check(text, []), result => result.Check == "service-override");

        Assert.Equal(SetupSeverity.Problem, result.Severity);
        Assert.Equal(["postconf -PX relay/unix/smtp_tls_policy_maps"], result.Commands);
    }

    [Fact]
    public void A_digest_that_is_only_the_default_is_to_be_set()
    {
        var result = Assert.Single(Check(new PostconfText().WithDefault("smtp_tls_fingerprint_digest", "sha256"), []), result => result.Check == "digest");

        Assert.Equal(SetupSeverity.Warning, result.Severity);
    }

    [Theory]
    [InlineData("3.7.11", "3.7", nameof(SetupSeverity.Ok))]
    [InlineData("3.10.3", "3.7", nameof(SetupSeverity.Note))]
    [InlineData("3.5.25", "3.7", nameof(SetupSeverity.Problem))]
    [InlineData("3.12-20260821", "3.12", nameof(SetupSeverity.Ok))]
    [InlineData("2.11.3", "3.4", nameof(SetupSeverity.Problem))]
    [InlineData("unknown", "3.4", nameof(SetupSeverity.Warning))]
    public void The_configured_version_is_compared_with_the_real_one(string real, string configured, string severity)
    {
        var results = Check(new PostconfText(("mail_version", real)), [], null, null, $"version = {configured}");

        Assert.Equal(severity, Assert.Single(results, result => result.Check == "version").Severity.ToString());
    }

    [Theory]
    [InlineData("3.9.9", "yes", null)]
    [InlineData("3.10.3", "yes", nameof(SetupSeverity.Warning))]
    [InlineData("3.12-20260821", "no", nameof(SetupSeverity.Ok))]
    public void From_3_10_on_a_header_can_switch_policies_off(string version, string enabled, string? severity)
    {
        var results = Check(new PostconfText(("mail_version", version), ("tls_required_enable", enabled)), []);

        Assert.Equal(severity, results.SingleOrDefault(result => result.Check == "tls-required")?.Severity.ToString());
    }

    [Theory]
    [InlineData("3.7.12", true)]
    [InlineData("3.7.13", false)]
    [InlineData("3.9.1", true)]
    [InlineData("3.9.2", false)]
    [InlineData("3.10.0", false)]
    public void Releases_that_ignore_tlsa_of_an_insecure_mx_are_named(string version, bool affected)
    {
        var text = new PostconfText(("mail_version", version), ("smtp_dns_support_level", "dnssec"));

        var warned = Check(text, [(TlsLevel.Dane, 1)]).Any(result => result.Check == "dane" && result.Commands.Contains("postconf -e 'smtp_tls_dane_insecure_mx_policy = dane'"));

        Assert.Equal(affected, warned);
    }

    [Fact]
    public void The_command_names_the_directory_and_exits_1_with_a_problem()
    {
        using var session = new CliSession();
        session.Postfix.Text = new PostconfText(("smtp_tls_fingerprint_digest", "md5"));

        var result = session.Run("setup", "--postfix", "/etc/postfix-out");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains("problem\tdigest\tPostfix computes md5 and policyd serves sha256: no pin matches", result.Out, StringComparison.Ordinal);
        Assert.Contains("\tpostconf -c /etc/postfix-out -e 'smtp_tls_fingerprint_digest = sha256'\n", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_store_postfix_is_checked_all_the_same()
    {
        using var session = new CliSession("version = 3.7", init: false);
        session.Postfix.Text = new PostconfText();
        using var running = StatusTests.Run(session, "store", 1);

        var result = session.Run("setup", "--format", "table");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("Postfix is checked without regard to the entries", result.Error, StringComparison.Ordinal);
        Assert.EndsWith("\nPostfix fits.\n", result.Out, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string, string, string?> OfDiscovery => new()
    {
        { "smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8642:QUERY", "", "warning", "is the map of postfix-tlspol; to replace it", "systemctl disable --now postfix-tlspol" },
        { "smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8642:QUERYwithTLSRPT", "", "warning", "is the map of postfix-tlspol", "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy-tlsrpt'" },
        { "smtp_tls_policy_maps=socketmap:inet:127.0.0.1:8461:postfix", "", "problem", "is the map of postfix-mta-sts-resolver, at an endpoint that policyd is to listen on", "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy'" },
        { "smtp_tls_policy_maps=proxy:socketmap:inet:127.0.0.1:8461:tlspolicy", "security_level = may\n[discovery]\nmode = on\ndane = no", "warning", "where a first sight that waits 1500ms holds all other lookups up", "postconf -e 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:tlspolicy'" },
        { "smtp_tls_security_level=dane", "[discovery]\nmode = on\ndane = no", "warning", "security_level = dane", null },
        { "smtp_tls_security_level=none", "[discovery]\nmode = on\ndane = no", "warning", "security_level = none", null },
        { "smtp_tls_security_level=encrypt", "security_level = may\n[discovery]\nmode = on\ndane = no", "problem", "mail that would wait goes out, even in plain text; write in [postfix]: security_level = encrypt", null },
        { "smtp_tls_security_level=may", "security_level = encrypt\n[discovery]\nmode = on\n[probe]\nresolver_trusted = yes", "ok", "answered by what they publish", null },
        { "smtp_tls_security_level=may", "security_level = may\n[discovery]\nmode = on", "warning", "DANE counts for nothing while resolver_trusted = no", null },
        { "smtp_tls_security_level=may", "security_level = may\n[discovery]\nmode = observe\n[probe]\nresolver_trusted = yes", "note", "nothing is answered: mode = on", null },
        { "smtp_tls_security_level=may", "security_level = may\n[discovery]\nmode = on\n[probe]\nresolver_trusted = yes", "ok", "answered by what they publish", null },
    };

    [Theory]
    [MemberData(nameof(OfDiscovery))]
    public void Discovery_has_to_fit_and_other_daemons_are_known_by_their_maps(string setting, string configuration, string severity, string text, string? command)
    {
        var equals = setting.IndexOf('=', StringComparison.Ordinal);
        var results = Check(new PostconfText((setting[..equals], setting[(equals + 1)..])), [], postfix: configuration);

        var found = Assert.Single(results, result => result.Check == "discovery" && result.Text.Contains(text, StringComparison.Ordinal));
        Assert.Equal(severity, found.Severity.Name());
        if (command is not null)
            Assert.Contains(command, found.Commands);
    }

    [Fact]
    public void What_discovery_answers_needs_DNSSEC_and_authorities()
    {
        var results = Check(
            new PostconfText(("smtp_dns_support_level", "enabled"), ("smtp_tls_CAfile", "")), [], postfix: "security_level = may\n[discovery]\nmode = on\n[probe]\nresolver_trusted = yes");

        Assert.Contains(
            "every destination that is discovered at dane-only: mail waits", Assert.Single(results, result => result.Check == "dane" && result.Severity == SetupSeverity.Problem).Text,
            StringComparison.Ordinal);
        Assert.Contains(
            "destinations with an MTA-STS policy are at secure or verify, and Postfix trusts no certification authority",
            Assert.Single(results, result => result.Check == "trust-anchors").Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_alias_of_a_map_is_a_map_that_is_served()
    {
        var results = Check(
            new PostconfText(("smtp_tls_policy_maps", "socketmap:inet:127.0.0.1:8461:QUERYwithTLSRPT"), ("mail_version", "3.9.1")), [],
            postfix: "[discovery]\nmap_aliases = QUERYwithTLSRPT:tlspolicy-tlsrpt");
        Assert.Contains("is for Postfix 3.10 and later", Assert.Single(results, result => result.Severity == SetupSeverity.Problem).Text, StringComparison.Ordinal);
    }

    private static IReadOnlyList<SetupResult> Check(
        PostconfText text, IReadOnlyList<(TlsLevel Level, long Count)> entries, string? configured = null, string? socketmap = null, string postfix = "",
        int observed = 0)
    {
        var settings = SettingsReader.Parse(
            "test.conf",
            System.Text.Encoding.UTF8.GetBytes($"[lookup]\nsocketmap = {socketmap ?? "inet:127.0.0.1:8461"}\n[store]\ndatabase = /nowhere/policy.db\n[postfix]\n{postfix}\n"));
        return SetupChecks.Run(new SetupSubject(
            text.Read(), settings, entries.ToDictionary(entry => entry.Level, entry => entry.Count), key => configured is not null && key == NextHop.Parse(configured)) { HostName = "here.example.org", Observed = observed });
    }
}
