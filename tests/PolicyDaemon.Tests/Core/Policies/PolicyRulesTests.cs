using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Policies;

public class PolicyRulesTests
{
    private const string Every = "none may encrypt fingerprint dane dane-only verify secure";
    private const string Tls = "may encrypt fingerprint dane dane-only verify secure";

    [Theory] // postfix-tables section 3.6
    [InlineData("match", "mx.example.com", "verify secure")]
    [InlineData("ciphers", "high", Tls)]
    [InlineData("protocols", ">=TLSv1.2", Tls)]
    [InlineData("exclude", "aNULL", Tls)]
    [InlineData("servername", "hostname", Tls)]
    [InlineData("tafile", "/etc/ta.pem", "verify secure")]
    [InlineData("connection_reuse", "yes", Tls)]
    [InlineData("enable_rpk", "yes", Tls)]
    [InlineData("policy_type", "no-policy-found", Tls)]
    public void An_attribute_is_legal_at_its_levels_only(string attribute, string value, string levels)
    {
        Assert.True(PolicyAttributes.TryFind(attribute, out var row));
        foreach (var name in Every.Split(' '))
        {
            Assert.True(TlsLevels.TryParse(name, out var level));
            var destination = Entries.Of(row.Add(new TlsPolicy { Level = level }, value)) with
            {
                Pins = level == TlsLevel.Fingerprint ? [Entries.Pin(Entries.Sha256A, PinState.Active, PinSubject.PublicKey)] : [],
            };
            var problems = PolicyRules.Problems(destination, Entries.Newest);

            Assert.Equal((name, levels.Split(' ').Contains(name)), (name, problems.Count == 0));
            Assert.All(problems, problem => Assert.Contains(attribute, problem.Reason, StringComparison.Ordinal));
        }
    }

    [Theory] // postfix-tables sections 3.6 and 10
    [InlineData("match", "a.example", "3.4")]
    [InlineData("tafile", "/ta.pem", "3.4")]
    [InlineData("servername", "hostname", "3.4")]
    [InlineData("protocols", "!SSLv3:!TLSv1", "3.4")]
    [InlineData("protocols", ">=TLSv1.2", "3.6")]
    [InlineData("connection_reuse", "no", "3.6")]
    [InlineData("enable_rpk", "no", "3.9")]
    public void An_attribute_needs_the_release_that_knows_it(string attribute, string value, string since)
    {
        Assert.True(PolicyAttributes.TryFind(attribute, out var row));
        var destination = Entries.Of(row.Add(new TlsPolicy { Level = TlsLevel.Secure }, value));
        for (var minor = 4; minor <= 12; minor++)
        {
            var settings = Entries.Version($"3.{minor}");
            var served = PolicyRules.Problems(destination, settings).Count == 0;

            Assert.Equal((minor, settings.Version >= Entries.Version(since).Version), (minor, served));
            Assert.Equal(served, PolicyText.Answer(destination, settings, MapName.TlsPolicy).Kind == LookupAnswerKind.Found);
        }
    }

    [Theory]
    [InlineData("ciphers", "high medium low export null HIGH", "strong,High!,hi gh,")]
    [InlineData("protocols", ">=TLSv1.2 >=TLSv1.2:<=TLSv1.3 <=0304 >=0x0303 !SSLv2:!SSLv3 TLSv1.2:TLSv1.3 !tlsv1 >=SSLv3",
        "TLS1.2,>=TLSv1.4,>=0305,0303,!0303,>= TLSv1.2,>TLSv1.2,TLSv1.2::TLSv1.3,!,SSLv3,!TLSv1:!TLSv1.1:!TLSv1.2:!TLSv1.3,>=TLSv1.3:<=TLSv1.2")]
    [InlineData("exclude", "aNULL aNULL:eNULL:MD5:3DES:kRSA+AES ECDHE-RSA-AES256-SHA", "!aNULL,+MD5,-MD5,@STRENGTH,aNULL::MD5,a b,")]
    [InlineData("servername", "hostname nexthop mx.example.com MX.Example.COM münchen.example a_b.example", "Hostname,NEXTHOP,.example.com,[mx.example.com],mx.example.com:25,192.0.2.1,-a.example,a-.example,/x,a b,")]
    [InlineData("match", "nexthop dot-nexthop hostname HostName mx.example.com .example.com xn--mnchen-3ya.example münchen.example .münchen.example", ".,..a,*.example.com,[a.example],a.example:25,192.0.2.1,a|b,a b,adf3c3682bce8ddaa383ac84f65b52e0b488cd9b")]
    [InlineData("tafile", "/etc/ta.pem /a:b", "ta.pem,./ta,/a b,/a{b},/a|b,")]
    [InlineData("connection_reuse", "yes no YES", "")]
    [InlineData("policy_type", "sts no-policy-found STS", "tlsa,none,")]
    [InlineData("policy_failure", "sts-policy-fetch-error sts-policy-invalid sts-webpki-invalid validation-failure", "starttls-not-supported,")]
    [InlineData("policy_domain", "example.com", ".example.com,*.example.com,a b,")]
    [InlineData("mx_host_pattern", "mx.example.com *.example.com", "*,*.*.example.com,.example.com,a.*.example.com,")]
    public void A_value_has_its_syntax(string attribute, string legal, string illegal)
    {
        Assert.True(PolicyAttributes.TryFind(attribute, out var row));

        Assert.All(legal.Split(' '), value => Assert.Null(row.Check(value, PostfixVersion.Newest)));
        Assert.All(illegal.Split(','), value => Assert.NotNull(row.Check(value, PostfixVersion.Newest)));
    }

    [Theory]
    [InlineData("maybe")]
    [InlineData("")]
    public void A_boolean_is_yes_or_no(string value)
    {
        Assert.NotNull(PolicyAttributes.All.Single(row => row.Name == "connection_reuse").Check(value, PostfixVersion.Newest));
        Assert.NotNull(PolicyAttributes.All.Single(row => row.Name == "enable_rpk").Check(value, PostfixVersion.Newest));
    }

    [Fact]
    public void A_line_of_a_policy_may_hold_blanks_and_nothing_that_ends_it()
    {
        var row = PolicyAttributes.All.Single(attribute => attribute.Name == "policy_string");

        Assert.Null(row.Check("mx: *.example.net", PostfixVersion.Newest));
        Assert.All(["", "a}", "{a", "a,b", "a|b", "a\nb", " a", "ä"], value => Assert.NotNull(row.Check(value, PostfixVersion.Newest)));
    }

    [Fact]
    public void Every_problem_says_what_to_do_next()
    {
        Destination[] refused =
        [
            Entries.Pinned(),
            Entries.Pinned() with { Pins = [Entries.Pin(Entries.Sha256A, PinState.Retired)] },
            Entries.Pinned(Entries.Sha1A),
            Entries.Pinned() with { Pins = Entries.ManyPins(1539) },
            Entries.Of(new TlsPolicy { Level = TlsLevel.None, Ciphers = "high" }),
            Entries.Of(new TlsPolicy { Level = TlsLevel.May, Match = ["a.example"] }),
            Entries.Of(new TlsPolicy { Level = TlsLevel.May, EnableRpk = true }),
            Entries.Of(new TlsPolicy { Level = TlsLevel.May, TlsRpt = new("", "example.com", [], [], null) }),
        ];

        Assert.All(refused, destination =>
        {
            var problems = PolicyRules.Problems(destination, Entries.Sha256);
            Assert.NotEmpty(problems);
            Assert.All(problems, problem => Assert.True(problem.Advice.Length > 0, problem.Reason));
        });
    }

    [Fact]
    public void The_number_of_pins_that_fit_is_named()
    {
        var problem = Assert.Single(PolicyRules.Problems(Entries.Pinned() with { Pins = Entries.ManyPins(2000) }, Entries.Sha256));

        Assert.Contains("1538 pins fit", problem.Advice, StringComparison.Ordinal);
    }

    [Theory] // postfix-tables section 3.8: 62 pins fit into a line of tcp_table
    [InlineData(62, false)]
    [InlineData(63, true)]
    public void A_line_of_tcp_table_is_only_a_warning(int pins, bool warns)
    {
        var destination = Entries.Pinned() with { Pins = Entries.ManyPins(pins) };

        Assert.Empty(PolicyRules.Problems(destination, Entries.Sha256));
        var warnings = PolicyWarnings.Of(destination, Entries.Sha256);
        Assert.Equal(warns, warnings.Any(warning => warning.Kind == PolicyWarningKind.TooLongForTcpTable));
        if (warns)
            Assert.Contains("62 pins fit", warnings[^1].Problem.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void An_observed_entry_may_keep_pins_in_another_digest()
    {
        Assert.Empty(PolicyRules.Problems(Entries.Pinned(Entries.Sha1A) with { Observe = true }, Entries.Sha256));
        Assert.Empty(PolicyRules.Problems(Entries.Pinned() with { Observe = true }, Entries.Sha256));
    }

    [Fact]
    public void A_pin_in_another_digest_is_refused_when_it_is_added_and_not_when_it_is_there()
    {
        var after = Entries.Pinned(Entries.Sha1A, Entries.Sha256A);

        Assert.Single(PolicyRules.Problems(null, after, Entries.Sha256));
        Assert.Single(PolicyRules.Problems(Entries.Pinned(Entries.Sha256A), after, Entries.Sha256));
        Assert.Empty(PolicyRules.Problems(Entries.Pinned(Entries.Sha1A), after, Entries.Sha256));
        Assert.Empty(PolicyRules.Problems(null, after with { Observe = true }, Entries.Sha256));
        Assert.Single(PolicyRules.Problems(after with { Observe = true }, after, Entries.Sha256));
    }

    [Fact] // postfix-tables section 4: the server may send its bare key only
    public void Raw_public_keys_need_pins_of_public_keys()
    {
        var policy = new TlsPolicy { Level = TlsLevel.Fingerprint, EnableRpk = true };
        Destination With(PinSubject subject) => Entries.Of(policy) with { Pins = [Entries.Pin(Entries.Sha256A, PinState.Active, subject)] };

        Assert.Empty(PolicyRules.Problems(With(PinSubject.PublicKey), Entries.Newest));
        Assert.Contains("enable_rpk", Assert.Single(PolicyRules.Problems(With(PinSubject.Certificate), Entries.Newest)).Reason, StringComparison.Ordinal);
        Assert.Contains(PolicyWarnings.Of(With(PinSubject.Unknown), Entries.Newest), warning => warning.Kind == PolicyWarningKind.UnknownSubject);
    }

    [Fact] // postfix-tables section 5: Postfix replaces the pins by the word hostname
    public void Mx_patterns_never_stand_on_a_pin_answer()
    {
        var destination = Entries.Of(new TlsPolicy
        {
            Level = TlsLevel.Fingerprint,
            TlsRpt = new("sts", "example.com", ["version: STSv1"], ["*.example.com"], null),
        }) with { Pins = [Entries.Pin(Entries.Sha256A)] };

        Assert.Contains("mx_host_pattern", Assert.Single(PolicyRules.Problems(destination, Entries.Newest)).Reason, StringComparison.Ordinal);
        Assert.Equal(LookupAnswerKind.Temporary, PolicyText.Answer(destination, Entries.Newest, MapName.TlsPolicyTlsRpt).Kind);
    }

    [Fact] // postfix-tables section 5: dropped on the way to tlsproxy, and the mail is delivered
    public void A_policy_failure_and_connection_reuse_exclude_each_other() =>
        Assert.Single(PolicyRules.Problems(
            Entries.Of(new TlsPolicy
            {
                Level = TlsLevel.Secure,
                ConnectionReuse = true,
                TlsRpt = new("no-policy-found", "example.com", [], [], "sts-policy-invalid"),
            }),
            Entries.Newest));

    [Theory]
    [InlineData("none", "example.com", PolicyWarningKind.PlainText, "overrides a stricter")]
    [InlineData("may", "example.com", PolicyWarningKind.PlainText, "overrides a stricter")]
    [InlineData("dane", "example.com", PolicyWarningKind.FallsBack, "becomes may")]
    [InlineData("verify", "example.com", PolicyWarningKind.NameFromDns, "trusts the MX host's name")]
    [InlineData("secure match=hostname", "example.com", PolicyWarningKind.NameFromDns, "trusts the MX host's name")]
    [InlineData("secure", "example.com", PolicyWarningKind.NoServerName, "without servername")]
    [InlineData("secure", "[192.0.2.1]", PolicyWarningKind.NoNameToMatch, "no host name that a certificate could carry")]
    [InlineData("secure match=nexthop", "[2001:db8::1]:25", PolicyWarningKind.NoNameToMatch, "no host name that a certificate could carry")]
    [InlineData("encrypt", ".example.com", PolicyWarningKind.SubdomainsOnly, "answers for subdomains only")]
    [InlineData("encrypt", "[mx.example.com]:25", PolicyWarningKind.Port, "not the same key as [mx.example.com]")]
    [InlineData("encrypt ciphers=low", "example.com", PolicyWarningKind.WeakTls, "broken")]
    [InlineData("encrypt ciphers=null", "example.com", PolicyWarningKind.WeakTls, "without any encryption")]
    [InlineData("encrypt protocols=>=TLSv1", "example.com", PolicyWarningKind.WeakTls, "RFC 8996")]
    [InlineData("encrypt protocols=TLSv1.2", "example.com", PolicyWarningKind.WeakTls, "rules out TLSv1.3")]
    [InlineData("encrypt exclude=MD5", "example.com", PolicyWarningKind.Replaces, "replaces smtp_tls_exclude_ciphers")]
    [InlineData("secure enable_rpk=yes", "example.com", PolicyWarningKind.NoEffect, "no effect at level secure")]
    [InlineData("dane-only servername=mx.example.com", "example.com", PolicyWarningKind.NoEffect, "ignored where the destination has TLSA")]
    [InlineData("encrypt policy_type=sts { policy_string = version: STSv1 } mx_host_pattern=a.example policy_failure=sts-policy-invalid", "example.com", PolicyWarningKind.NoEffect, "does not stop a delivery")]
    [InlineData("secure match=a.example policy_type=sts { policy_string = version: STSv1 } mx_host_pattern=a.example", "example.com", PolicyWarningKind.Replaces, "replaces the match list")]
    public void A_doubtful_entry_is_warned_about(string text, string key, PolicyWarningKind kind, string warning)
    {
        var reading = PolicyTextReader.Read(text, PostfixVersion.Newest);
        var destination = Entries.Of(reading.Policy!, key);

        Assert.Empty(PolicyRules.Problems(destination, Entries.Newest));
        Assert.Contains(
            PolicyWarnings.Of(destination, Entries.Newest),
            found => found.Kind == kind && found.Problem.Reason.Contains(warning, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("encrypt policy_type=sts")]
    [InlineData("secure match=a.example policy_type=STS policy_domain=example.com mx_host_pattern=a.example")]
    [InlineData("secure match=a.example policy_type=sts { policy_string = version: STSv1 }")]
    public void Half_a_policy_for_TLSRPT_is_refused_as_it_makes_Postfix_crash(string text) =>
        Assert.Contains(
            PolicyRules.Problems(Entries.Of(PolicyTextReader.Read(text, PostfixVersion.Newest).Policy!), Entries.Newest),
            problem => problem.Advice.Contains("give both", StringComparison.Ordinal));

    [Fact]
    public void A_plain_entry_is_not_warned_about()
    {
        Assert.Empty(PolicyWarnings.Of(Entries.Of(TlsLevel.Encrypt), Entries.Sha256));
        Assert.Equal(
            PolicyWarningKind.BelowSecurityLevel,
            Assert.Single(PolicyWarnings.Of(Entries.Of(TlsLevel.Encrypt), Entries.Sha256 with { SecurityLevel = TlsLevel.Secure })).Kind);
        Assert.Empty(PolicyWarnings.Of(Entries.Pinned(Entries.Sha256A), Entries.Sha256));
        Assert.Empty(PolicyWarnings.Of(Entries.Of(new TlsPolicy { Level = TlsLevel.Secure, ServerName = "hostname" }), Entries.Sha256));
    }

    [Theory]
    [InlineData(DigestAlgorithm.Md5, true)]
    [InlineData(DigestAlgorithm.Sha1, true)]
    [InlineData(DigestAlgorithm.Sha256, false)]
    [InlineData(DigestAlgorithm.Sha512, false)]
    public void A_weak_digest_is_warned_about(DigestAlgorithm digest, bool warns)
    {
        var destination = Entries.Pinned(new string('a', 2 * digest.Octets()));
        var warnings = PolicyWarnings.Of(destination, Entries.Sha256 with { FingerprintDigest = digest });

        Assert.Equal(warns, warnings.Any(warning => warning.Kind == PolicyWarningKind.WeakDigest));
    }

    [Fact]
    public void Pins_that_are_left_out_are_said_with_the_reason()
    {
        var destination = Entries.Pinned(Entries.Sha256A, Entries.Sha1A, Entries.Sha256A) with { };
        var selection = PinSelection.Of(destination with { Pins = destination.Pins.Add(Entries.Pin(Entries.Sha256B, PinState.Rejected)) }, Entries.Sha256);

        Assert.Equal(Entries.Sha256A, Assert.Single(selection.Served).Fingerprint.Hex);
        Assert.Equal(
            ["it is a sha1 digest and Postfix compares sha256", "the same fingerprint is served already", "it is rejected"],
            selection.LeftOut.Select(left => left.Why));
    }
}
