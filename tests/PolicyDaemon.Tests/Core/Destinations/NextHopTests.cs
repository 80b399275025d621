using PolicyDaemon.Core.Destinations;
using Xunit;

namespace PolicyDaemon.Tests.Core.Destinations;

public class NextHopTests
{
    [Theory] // postfix-tables sections 3.1 and 3.2
    [InlineData("a.b.example.com", "a.b.example.com .b.example.com .example.com .com")]
    [InlineData("example.com", "example.com .com")]
    [InlineData("localhost", "localhost")]
    [InlineData(".b.example.com", ".b.example.com .example.com .com")]
    [InlineData("[mx.example.com]", "[mx.example.com]")]
    [InlineData("[mx.example.com]:587", "[mx.example.com]:587")]
    [InlineData("mx.example.com:587", "mx.example.com:587")]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    [InlineData("-a.example.com", "-a.example.com")] // no valid host name to Postfix
    [InlineData("/var/run/a.b", "/var/run/a.b")]
    [InlineData("./a.b", "./a.b")]
    [InlineData("münchen.example", "xn--mnchen-3ya.example .example")]
    public void The_lookup_chain_is_what_Postfix_asks(string key, string chain) =>
        Assert.Equal(chain.Split(' '), Parse(key).LookupChain().Select(link => link.Text));

    [Theory]
    [InlineData("example.com", "example.com", null, false, false, false)]
    [InlineData(".example.com", "example.com", null, true, false, false)]
    [InlineData("[mx.example.com]", "mx.example.com", null, false, true, false)]
    [InlineData("[mx.example.com]:submission", "mx.example.com", 587, false, true, false)]
    [InlineData("mx.example.com:25", "mx.example.com", 25, false, false, false)]
    [InlineData("mx.example.com:lmtp", "mx.example.com", null, false, false, false)]
    [InlineData("[2001:db8::1]:25", "2001:db8::1", 25, false, true, false)]
    [InlineData("[2001:db8::25]", "2001:db8::25", null, false, true, false)]
    [InlineData("2001:db8::25", "2001:db8::25", null, false, false, false)]
    [InlineData("/var/run/lmtp:25", "/var/run/lmtp:25", null, false, false, true)]
    [InlineData("[a/b]", "[a/b]", null, false, false, true)]
    [InlineData("./b", "./b", null, false, false, true)]
    public void A_key_has_its_parts(string key, string host, int? port, bool subdomains, bool bracketed, bool path)
    {
        var nextHop = Parse(key);

        Assert.Equal((host, port, subdomains, bracketed, path), (nextHop.Host, nextHop.Port, nextHop.IsSubdomains, nextHop.IsBracketed, nextHop.IsPath));
    }

    [Theory]
    [InlineData("xn--mnchen-3ya.example", "münchen.example")]
    [InlineData("[xn--mnchen-3ya.example]:587", "[münchen.example]:587")]
    [InlineData(".xn--mnchen-3ya.example", ".münchen.example")]
    [InlineData("example.com", "example.com")]
    [InlineData("/xn--mnchen-3ya", "/xn--mnchen-3ya")]
    public void People_see_U_labels(string key, string shown) => Assert.Equal(shown, Parse(key).ToDisplayString());

    [Fact]
    public void Keys_that_fold_alike_are_equal_and_other_forms_are_not()
    {
        Assert.Equal(Parse("MX.example.com:submission"), Parse("mx.example.com.:587"));
        Assert.Equal(5, new[] { "a.example", ".a.example", "[a.example]", "a.example:25", "[a.example]:25" }.Select(Parse).Distinct().Count());
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("a b", "write a domain, .domain, [host], [host]:port or host:port")]
    [InlineData("a\nb", "'a?b'")]
    [InlineData("\udc00.example", "xn--")]
    public void A_refused_key_is_shown_safely_with_what_to_write(string key, string reason)
    {
        Assert.False(NextHop.TryParse(key, out _, out var said));
        Assert.Contains(reason, said, StringComparison.Ordinal);
        Assert.DoesNotContain(said, char.IsControl);
    }

    [Fact]
    public void A_key_from_the_store_must_be_one() => Assert.Throws<FormatException>(() => NextHop.Parse("not a key"));

    [Fact]
    public void An_empty_value_is_a_broken_assumption() => Assert.Throws<InvalidOperationException>(() => default(NextHop).Text);

    private static NextHop Parse(string key)
    {
        Assert.True(NextHop.TryParse(key, out var nextHop, out var reason), reason);
        return nextHop;
    }
}
