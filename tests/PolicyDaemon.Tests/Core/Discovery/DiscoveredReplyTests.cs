using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

public sealed class DiscoveredReplyTests
{
    private static readonly PostfixSettings Oldest = PostfixSettings.Default;

    [Theory]
    [InlineData("S", "T10", "dane-only")]
    [InlineData("S", "T10 N20", "dane")]
    [InlineData("S", "N10", null)]
    public void An_answer_without_a_policy_is_a_level_alone_on_both_maps(string mx, string hosts, string? text)
    {
        var verdict = DiscoveryScenario.Of(mx, hosts).Use();

        foreach (var map in Enum.GetValues<MapName>())
            Assert.Equal(text is null ? LookupAnswer.NotFound : LookupAnswer.Found(text), Answer(verdict, map));
    }

    [Fact]
    public void A_policy_is_answered_with_its_names_as_every_Postfix_reads_them() =>
        Assert.Equal(
            LookupAnswer.Found("secure match=mx.example.com:.example.net servername=hostname"),
            Answer(Enforcing("mx: mx.example.com\nmx: *.example.net\n"), MapName.TlsPolicy));

    [Fact]
    public void For_TLSRPT_the_policy_stands_in_the_answer_as_it_was_served() =>
        Assert.Equal(
            LookupAnswer.Found(
                "secure match=mx.example.com:.example.net servername=hostname policy_type=sts policy_domain=example.com "
                + "{ policy_string = version: STSv1 } { policy_string = mode: enforce } { policy_string = max_age: 604800 } "
                + "{ policy_string = mx: MX.example.com. } { policy_string = mx: *.example.net } mx_host_pattern=mx.example.com mx_host_pattern=*.example.net"),
            Answer(Enforcing("mx: MX.example.com.\nmx: *.example.net\n"), MapName.TlsPolicyTlsRpt));

    [Fact]
    public void Where_DANE_decides_nothing_of_the_policy_is_sent() =>
        Assert.Equal(LookupAnswer.Found("dane-only"), Answer(DiscoveryScenario.Of("S", "T10", enforce: true).Use(), MapName.TlsPolicyTlsRpt));

    [Fact]
    public void Lines_that_would_end_an_attribute_are_left_out()
    {
        var text = Answer(Enforcing("mx: *.example.com\nnote: a } policy_failure=x {\nlist: a, b\nbar: a|b\ncontact: B\u00fccher\n"), MapName.TlsPolicyTlsRpt).Text;

        Assert.Contains("{ policy_string = mx: *.example.com } mx_host_pattern=*.example.com", text, StringComparison.Ordinal);
        Assert.DoesNotContain("policy_failure", text, StringComparison.Ordinal);
        Assert.Equal(4, text.Split("policy_string").Length - 1);
    }

    [Theory]
    [InlineData("example.com:587", "example.com")]
    [InlineData("M\u00dcNCHEN.example", "xn--mnchen-3ya.example")]
    public void The_policy_domain_is_the_A_label_of_the_domain_asked_for(string key, string domain)
    {
        var scenario = new DiscoveryScenario { Key = NextHop.Parse(key) };
        scenario.Mx("W", "I10");
        scenario.Publish(DiscoveryScenario.Enforce);

        Assert.Contains($" policy_domain={domain} ", Answer(scenario.Use(), MapName.TlsPolicyTlsRpt).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_is_narrowed_to_the_patterns_of_the_current_MX_hosts()
    {
        var others = string.Concat(Enumerable.Range(0, 1500).Select(number => string.Create(CultureInfo.InvariantCulture, $"mx: a-rather-long-name-{number}.example.net\n")));
        var verdict = Enforcing($"{others}mx: *.example.com\nfuture: thing\n");

        Assert.Equal(LookupAnswer.Found("secure match=.example.com servername=hostname"), Answer(verdict, MapName.TlsPolicy, text => text.Length < 1000));
        Assert.Equal(1501, Answer(verdict, MapName.TlsPolicy).Text.Split(':').Length);
        Assert.Equal(
            LookupAnswer.Found(
                "secure match=.example.com servername=hostname policy_type=sts policy_domain=example.com { policy_string = version: STSv1 } "
                + "{ policy_string = mode: enforce } { policy_string = max_age: 604800 } { policy_string = mx: *.example.com } mx_host_pattern=*.example.com"),
            Answer(verdict, MapName.TlsPolicyTlsRpt)); // 100,000 octets are too few for each name three times
    }

    [Fact]
    public void What_does_not_fit_then_is_a_temporary_error_and_a_remark()
    {
        var verdict = Enforcing("mx: *.example.com\n");

        var answer = DiscoveredReply.Answer(verdict, Oldest, MapName.TlsPolicy, _ => false, out var remark);

        Assert.Equal(LookupAnswerKind.Temporary, answer.Kind);
        Assert.Equal((DiscoveryRemarkKind.AnswerTooLong, FindingSeverity.MailWaits), (remark!.Kind, remark.Severity));
    }

    [Fact]
    public void A_long_policy_without_a_current_MX_host_is_a_temporary_error_too()
    {
        var verdict = Enforcing("mx: mx.example.net\n");

        Assert.Equal("secure match=mx.example.net servername=hostname", Answer(verdict, MapName.TlsPolicy).Text);
        Assert.Equal(LookupAnswerKind.Temporary, DiscoveredReply.Answer(verdict, Oldest, MapName.TlsPolicy, text => text.Length < 20, out var remark).Kind);
        Assert.NotNull(remark);
    }

    private static LookupAnswer Answer(DiscoveryVerdict verdict, MapName map, Func<string, bool>? fits = null)
    {
        var answer = DiscoveredReply.Answer(verdict, Oldest, map, fits, out var remark);
        Assert.Null(remark);
        return answer;
    }

    private static DiscoveryVerdict Enforcing(string lines)
    {
        var scenario = DiscoveryScenario.Of("W", "I10");
        scenario.Publish($"version: STSv1\nmode: enforce\nmax_age: 604800\n{lines}");
        return scenario.Use();
    }
}
