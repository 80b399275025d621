using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Policies;

public class PolicyTextTests
{
    [Theory]
    [InlineData(TlsLevel.None, "none")]
    [InlineData(TlsLevel.May, "may")]
    [InlineData(TlsLevel.Encrypt, "encrypt")]
    [InlineData(TlsLevel.Dane, "dane")]
    [InlineData(TlsLevel.DaneOnly, "dane-only")]
    [InlineData(TlsLevel.Verify, "verify")]
    [InlineData(TlsLevel.Secure, "secure")]
    public void A_level_alone_is_its_name(TlsLevel level, string text) => AssertFound(text, Entries.Of(level), Entries.Sha256);

    [Fact]
    public void Pins_are_lower_case_and_joined_by_bars_in_the_order_they_were_added() =>
        AssertFound(
            $"fingerprint match={Entries.Sha256B}|{Entries.Sha256A}",
            Entries.Pinned(Entries.Sha256B.ToUpperInvariant(), Entries.Sha256A, Entries.Sha256B),
            Entries.Sha256);

    [Fact]
    public void The_answer_is_the_union_of_standby_active_and_retiring_pins()
    {
        var destination = Entries.Pinned() with
        {
            Pins = [.. Enum.GetValues<PinState>().Select(state => Entries.Pin(new string("0bcd1ef"[(int)state], 64), state))],
        };

        AssertFound($"fingerprint match={new string('b', 64)}|{new string('c', 64)}|{new string('d', 64)}", destination, Entries.Sha256);
    }

    [Fact]
    public void Only_pins_in_the_configured_digest_are_served()
    {
        var destination = Entries.Pinned(Entries.Sha1A, Entries.Sha256A);

        AssertFound($"fingerprint match={Entries.Sha1A}", destination, Entries.Sha1);
        AssertFound($"fingerprint match={Entries.Sha256A}", destination, Entries.Sha256);
    }

    [Fact]
    public void Attributes_are_written_in_one_order_whatever_they_are() =>
        AssertFound(
            "secure match=mx.example.com:.example.net:nexthop ciphers=high protocols=!SSLv3:!TLSv1 exclude=aNULL:MD5 "
            + "servername=mx.example.com tafile=/etc/ta/a.pem tafile=/etc/ta/b.pem connection_reuse=yes",
            Entries.Of(new TlsPolicy
            {
                ConnectionReuse = true,
                TaFiles = ["/etc/ta/a.pem", "/etc/ta/b.pem"],
                ServerName = "MX.example.com",
                Exclude = "aNULL:MD5",
                Protocols = "!SSLv3:!TLSv1",
                Ciphers = "HIGH",
                Match = ["Mx.Example.com", ".Example.NET", "NextHop"],
                Level = TlsLevel.Secure,
            }),
            Entries.Newest);

    [Fact]
    public void An_observed_entry_is_not_found_whatever_its_pins() =>
        Assert.Equal(LookupAnswer.NotFound, Answer(Entries.Pinned() with { Observe = true }, Entries.Sha256));

    [Fact] // postfix-tables section 9 item 11: fingerprint alone would borrow the pins of main.cf
    public void An_empty_pin_set_is_a_temporary_error() => AssertTemporary(Entries.Pinned(), Entries.Sha256);

    [Fact]
    public void Pins_in_another_digest_only_are_a_temporary_error() => AssertTemporary(Entries.Pinned(Entries.Sha1A), Entries.Sha256);

    [Theory] // postfix-tables section 9 item 16
    [InlineData("high servername=evil.example")]
    [InlineData("high,protocols=SSLv3")]
    [InlineData("high\nnone")]
    [InlineData("{high}")]
    [InlineData("high|low")]
    [InlineData("hi\u0000gh")]
    [InlineData("hi\u00a0gh")]
    [InlineData("")]
    public void A_value_that_would_end_itself_early_is_never_written(string value)
    {
        AssertTemporary(Entries.Of(new TlsPolicy { Level = TlsLevel.Encrypt, Ciphers = value }), Entries.Sha256);
        AssertTemporary(Entries.Of(new TlsPolicy { Level = TlsLevel.Encrypt, Protocols = value }), Entries.Sha256);
        AssertTemporary(Entries.Of(new TlsPolicy { Level = TlsLevel.Encrypt, Exclude = value }), Entries.Sha256);
        AssertTemporary(Entries.Of(new TlsPolicy { Level = TlsLevel.Encrypt, ServerName = value }), Entries.Sha256);
        AssertTemporary(Entries.Of(new TlsPolicy { Level = TlsLevel.Secure, Match = [value] }), Entries.Sha256);
        AssertTemporary(Entries.Of(new TlsPolicy { Level = TlsLevel.Secure, TaFiles = [value] }), Entries.Sha256);
    }

    [Fact]
    public void A_reason_is_short_printable_ascii()
    {
        var answer = Answer(Entries.Of(new TlsPolicy { Level = TlsLevel.Encrypt, Ciphers = new string('ü', 500) + "\r\n" }), Entries.Sha256);

        Assert.InRange(answer.Text.Length, 1, AnswerLimits.Reason);
        Assert.All(answer.Text, character => Assert.InRange(character, ' ', '~'));
    }

    [Fact]
    public void A_reason_says_what_is_wrong_and_leaves_the_advice_to_explain() => Assert.Equal(
        LookupAnswer.Temporary("cannot serve example.com: every pin is in another digest than sha256, which Postfix compares"),
        Answer(Entries.Pinned(Entries.Sha1A), Entries.Sha256));

    [Fact]
    public void The_tls_rpt_map_adds_its_attributes_and_the_plain_map_does_not()
    {
        var destination = Entries.Of(new TlsPolicy
        {
            Level = TlsLevel.Secure,
            Match = ["mx1.example.com", ".example.net"],
            ServerName = "hostname",
            TlsRpt = new("sts", "Example.com", ["version: STSv1", "mode: enforce"], ["mx1.example.com", "*.Example.net"], "sts-policy-invalid"),
        });

        const string plain = "secure match=mx1.example.com:.example.net servername=hostname";
        AssertFound(plain, destination, Entries.Sha256);
        Assert.Equal(
            LookupAnswer.Found(plain + " policy_type=sts policy_domain=example.com { policy_string = version: STSv1 } "
                + "{ policy_string = mode: enforce } mx_host_pattern=mx1.example.com mx_host_pattern=*.example.net policy_failure=sts-policy-invalid"),
            PolicyText.Answer(destination, Entries.Sha256, MapName.TlsPolicyTlsRpt));
    }

    [Theory] // postfix-tables section 3.8: 1538 pins of 64 digits fit into a payload of 100000 octets
    [InlineData(1538, LookupAnswerKind.Found)]
    [InlineData(1539, LookupAnswerKind.Temporary)]
    public void A_policy_that_does_not_fit_is_a_temporary_error_and_never_shorter(int pins, LookupAnswerKind kind)
    {
        var answer = Answer(Entries.Pinned() with { Pins = Entries.ManyPins(pins) }, Entries.Sha256);

        Assert.Equal(kind, answer.Kind);
        if (kind == LookupAnswerKind.Found)
            Assert.Equal(pins, answer.Text.Split('|').Length);
    }

    [Fact]
    public void The_length_of_a_tcp_table_line_counts_its_encoding() =>
        Assert.Equal("200 secure%20exclude=%25\n".Length, PolicyText.TcpLineLength("secure exclude=%"));

    private static LookupAnswer Answer(Destination destination, PostfixSettings postfix) =>
        PolicyText.Answer(destination, postfix, MapName.TlsPolicy);

    private static void AssertFound(string text, Destination destination, PostfixSettings postfix) =>
        Assert.Equal(LookupAnswer.Found(text), Answer(destination, postfix));

    private static void AssertTemporary(Destination destination, PostfixSettings postfix) =>
        Assert.Equal(LookupAnswerKind.Temporary, Answer(destination, postfix).Kind);
}
