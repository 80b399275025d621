using PolicyDaemon.Core.Destinations.Idna;
using Xunit;

namespace PolicyDaemon.Tests.Core.Destinations.Idna;

public sealed class Uts46DisplayTests
{
    [Theory]
    [InlineData("xn--mnchen-3ya.example", "m\u00FCnchen.example")]
    [InlineData("mx.XN--MNCHEN-3YA.example", "mx.m\u00FCnchen.example")]
    [InlineData(".xn--mnchen-3ya.example", ".m\u00FCnchen.example")]
    [InlineData("xn--e28h", "\U0001F600")]
    public void A_labels_are_shown_as_U_labels(string host, string expected) => Assert.Equal(expected, Uts46.ToUnicode(host));

    [Theory]
    [InlineData("")]
    [InlineData("mx.Example.com")]
    [InlineData("192.0.2.1")]
    [InlineData("xn--mnchen-3y.example")]
    [InlineData("xn--bucher-xyd.example")]
    [InlineData("xn--mnchen-3ya.xn--")]
    [InlineData("m\u00FCnchen.xn--mnchen-3ya")]
    public void What_is_no_valid_IDN_is_shown_as_it_is(string host) => Assert.Same(host, Uts46.ToUnicode(host));

    [Fact]
    public void Overlong_hosts_and_labels_are_shown_as_they_are()
    {
        string label = "xn--" + new string('a', 60) + ".example";
        string host = string.Concat(Enumerable.Repeat("xn--mnchen-3ya.", 20));
        Assert.Same(label, Uts46.ToUnicode(label));
        Assert.Same(host, Uts46.ToUnicode(host));
    }

    [Fact]
    public void A_label_with_invisible_joiners_stays_an_A_label() =>
        Assert.Equal("xn--ab-m1t.m\u00FCnchen", Uts46.ToUnicode("xn--ab-m1t.xn--mnchen-3ya"));
}
