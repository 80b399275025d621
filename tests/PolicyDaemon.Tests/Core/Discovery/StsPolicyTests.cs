using PolicyDaemon.Core.Discovery;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

public sealed class StsPolicyTests
{
    [Theory]
    [InlineData("as in the RFC", "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n", StsMode.Enforce, 604800, "mail.example.com *.example.net backupmx.example.com")]
    [InlineData("lines end with CRLF", "version: STSv1\r\nmode: testing\r\nmx: mx.example\r\nmax_age: 86400\r\n", StsMode.Testing, 86400, "mx.example")]
    [InlineData("line ends are mixed", "version: STSv1\r\nmode: testing\nmx: mx.example\r\nmax_age: 86400", StsMode.Testing, 86400, "mx.example")]
    [InlineData("the last line has no end", "version: STSv1\nmode: none\nmax_age: 0", StsMode.None, 0, "")]
    [InlineData("no blank behind the colon", "version:STSv1\nmode:enforce\nmax_age:1\nmx:mx.example\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("many blanks and tabs behind it", "version: \t STSv1\nmode:\tenforce\nmax_age: 1\nmx:   mx.example\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("blanks at the end of a line", "version: STSv1 \nmode: enforce\t\nmax_age: 1 \nmx: mx.example  \r\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("any order", "mx: mx.example\nmax_age: 1\nmode: enforce\nversion: STSv1\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("empty lines", "\nversion: STSv1\n\nmode: enforce\n \t\nmax_age: 1\r\n\r\nmx: mx.example\n\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("a repeated mode: the first counts", "version: STSv1\nmode: enforce\nmode: none\nmax_age: 1\nmx: mx.example\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("a repeated max_age: the first counts, whatever the second", "version: STSv1\nmode: enforce\nmax_age: 1\nmax_age: nonsense\nmx: mx.example\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("a repeated version: the first counts", "version: STSv1\nversion: STSv2\nmode: enforce\nmax_age: 1\nmx: mx.example\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("unknown fields", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\nfuture-1.x_y: a thing, with: anything\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("UTF-8 in an unknown field", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\ncontact: B\u00fccher \ud83d\udcec\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("another letter case is another field", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\nMX: _\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("mx in capitals", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: MX.Example.COM\nmx: *.EXAMPLE.net\n", StsMode.Enforce, 1, "mx.example.com *.example.net")]
    [InlineData("the final dot of an mx", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example.com.\n", StsMode.Enforce, 1, "mx.example.com")]
    [InlineData("an mx twice", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\nmx: MX.example.\n", StsMode.Enforce, 1, "mx.example")]
    [InlineData("an A-label", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: xn--mnchen-3ya.example\n", StsMode.Enforce, 1, "xn--mnchen-3ya.example")]
    [InlineData("digits in labels", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: 1.2.3.4.example\nmx: 1-a.2\n", StsMode.Enforce, 1, "1.2.3.4.example 1-a.2")]
    [InlineData("mode none with mx", "version: STSv1\nmode: none\nmax_age: 1\nmx: mx.example\n", StsMode.None, 1, "mx.example")]
    [InlineData("leading zeros", "version: STSv1\nmode: enforce\nmax_age: 0000000009\nmx: mx.example\n", StsMode.Enforce, 9, "mx.example")]
    [InlineData("ten digits", "version: STSv1\nmode: enforce\nmax_age: 9999999999\nmx: mx.example\n", StsMode.Enforce, 9999999999, "mx.example")]
    public void A_policy_is_read(string name, string text, StsMode mode, long seconds, string patterns)
    {
        Assert.True(StsPolicy.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out var policy, out var reason), $"{name}: {reason}");
        Assert.Equal((mode, TimeSpan.FromSeconds(seconds)), (policy.Mode, policy.MaxAge));
        Assert.Equal(patterns, string.Join(' ', policy.MxPatterns));
    }

    [Theory]
    [InlineData("nothing", "", "version")]
    [InlineData("a page", "<html>not found</html>", "name: value")]
    [InlineData("no version", "mode: enforce\nmax_age: 1\nmx: mx.example\n", "version")]
    [InlineData("another version", "version: STSv2\nmode: enforce\nmax_age: 1\nmx: mx.example\n", "version")]
    [InlineData("the version in another letter case", "version: stsv1\nmode: enforce\nmax_age: 1\nmx: mx.example\n", "version")]
    [InlineData("the first of two versions is wrong", "version: STSv2\nversion: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\n", "version")]
    [InlineData("no mode", "version: STSv1\nmax_age: 1\nmx: mx.example\n", "mode")]
    [InlineData("an unknown mode", "version: STSv1\nmode: strict\nmax_age: 1\nmx: mx.example\n", "mode")]
    [InlineData("the mode in another letter case", "version: STSv1\nmode: Enforce\nmax_age: 1\nmx: mx.example\n", "mode")]
    [InlineData("no max_age", "version: STSv1\nmode: enforce\nmx: mx.example\n", "max_age")]
    [InlineData("a negative max_age", "version: STSv1\nmode: enforce\nmax_age: -1\nmx: mx.example\n", "max_age")]
    [InlineData("a signed max_age", "version: STSv1\nmode: enforce\nmax_age: +1\nmx: mx.example\n", "max_age")]
    [InlineData("eleven digits", "version: STSv1\nmode: enforce\nmax_age: 00000000001\nmx: mx.example\n", "max_age")]
    [InlineData("a unit", "version: STSv1\nmode: enforce\nmax_age: 1d\nmx: mx.example\n", "max_age")]
    [InlineData("digits outside ASCII", "version: STSv1\nmode: enforce\nmax_age: \u0661\nmx: mx.example\n", "max_age")]
    [InlineData("enforce without mx", "version: STSv1\nmode: enforce\nmax_age: 1\n", "no mx line")]
    [InlineData("testing without mx", "version: STSv1\nmode: testing\nmax_age: 1\n", "no mx line")]
    [InlineData("mx without a value", "version: STSv1\nmode: enforce\nmax_age: 1\nmx:\n", "name: value")]
    [InlineData("an asterisk alone", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: *\n", "mx line")]
    [InlineData("an asterisk inside", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.*.example\n", "mx line")]
    [InlineData("a part of a label as asterisk", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx*.example\n", "mx line")]
    [InlineData("two asterisks", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: *.*.example\n", "mx line")]
    [InlineData("a leading dot", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: .example\n", "mx line")]
    [InlineData("two final dots", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example..\n", "mx line")]
    [InlineData("an empty label", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx..example\n", "mx line")]
    [InlineData("two names", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: a.example b.example\n", "mx line")]
    [InlineData("names joined by a comma", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: a.example,b.example\n", "mx line")]
    [InlineData("an IPv4 address", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: 192.0.2.1\n", "mx line")]
    [InlineData("an IPv4 address behind an asterisk", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: *.1.2.3.4\n", "mx line")]
    [InlineData("an IPv6 address", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: 2001:db8::1\n", "mx line")]
    [InlineData("an address literal", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: [192.0.2.1]\n", "mx line")]
    [InlineData("an underscore", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: my_mx.example\n", "mx line")]
    [InlineData("a U-label", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: m\u00fcnchen.example\n", "mx line")]
    [InlineData("a hyphen first", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: -mx.example\n", "mx line")]
    [InlineData("a hyphen last", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx-.example\n", "mx line")]
    [InlineData("a label of 64", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: a234567890123456789012345678901234567890123456789012345678901234.example\n", "mx line")]
    [InlineData("a comment in it", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example # ours\n", "mx line")]
    [InlineData("a wrong mx though the mode is none", "version: STSv1\nmode: none\nmax_age: 1\nmx: _\n", "mx line")]
    [InlineData("one wrong mx among right ones", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\nmx: 1.2.3.4\n", "mx line")]
    [InlineData("an indented line", "version: STSv1\nmode: enforce\nmax_age: 1\n mx: mx.example\n", "name: value")]
    [InlineData("a blank before the colon", "version: STSv1\nmode : enforce\nmax_age: 1\nmx: mx.example\n", "name: value")]
    [InlineData("a line without a colon", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\nnote\n", "name: value")]
    [InlineData("a comment", "# ours\nversion: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\n", "name: value")]
    [InlineData("a field without a name", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\n: x\n", "name: value")]
    [InlineData("an unknown field without a value", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\nfuture: \n", "name: value")]
    [InlineData("a tab in an unknown field", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\nfuture: a\tb\n", "name: value")]
    [InlineData("a control character in an unknown field", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\nfuture: a\u0007b\n", "name: value")]
    [InlineData("a name of a field with 33 characters", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\na23456789012345678901234567890123: x\n", "name: value")]
    [InlineData("CR alone ends no line", "version: STSv1\rmode: enforce\rmax_age: 1\rmx: mx.example\r", "name: value")]
    [InlineData("CR twice before LF", "version: STSv1\r\r\nmode: enforce\nmax_age: 1\nmx: mx.example\n", "name: value")]
    [InlineData("CR at the very end", "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\r", "name: value")]
    [InlineData("a byte order mark", "\ufeffversion: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\n", "name: value")]
    [InlineData("everything on one line", "version: STSv1; mode: enforce; max_age: 1; mx: mx.example", "version")]
    public void What_RFC_8461_does_not_allow_is_no_policy(string name, string text, string reason)
    {
        Assert.False(StsPolicy.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out _, out var why), name);
        Assert.Contains(reason, why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("an octet that is no UTF-8", new byte[] { 0xff })]
    [InlineData("a surrogate", new byte[] { 0xed, 0xa0, 0x80 })]
    [InlineData("an overlong form", new byte[] { 0xc0, 0xa0 })]
    [InlineData("an unfinished character", new byte[] { 0xe2, 0x82 })]
    public void What_is_no_UTF_8_is_no_policy(string name, byte[] octets)
    {
        Assert.False(StsPolicy.TryParse([.. "version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example\nx: "u8, .. octets], out _, out var why), name);
        Assert.Contains("UTF-8", why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("the name", "mx.example.com", true)]
    [InlineData("in capitals", "MX.example.com", true)]
    [InlineData("with the final dot", "mx.example.com.", true)]
    [InlineData("below the name", "a.mx.example.com", false)]
    [InlineData("one label in place of the asterisk", "a.provider.test", true)]
    [InlineData("with the final dot, too", "a.provider.test.", true)]
    [InlineData("in capitals, too", "A.Provider.TEST", true)]
    [InlineData("two labels in its place", "a.b.provider.test", false)]
    [InlineData("none in its place", "provider.test", false)]
    [InlineData("an empty one in its place", ".provider.test", false)]
    [InlineData("the end of a label", "aprovider.test", false)]
    [InlineData("an asterisk in its place", "*.provider.test", true)]
    [InlineData("another name", "mx.example.org", false)]
    [InlineData("a beginning", "mx.example", false)]
    [InlineData("an address", "192.0.2.1", false)]
    [InlineData("an IPv6 address", "2001:db8::1", false)]
    [InlineData("nothing", "", false)]
    [InlineData("the root", ".", false)]
    public void A_pattern_covers_a_host(string name, string host, bool covered)
    {
        Assert.True(StsPolicy.TryParse("version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example.com\nmx: *.provider.test", out var policy, out _));
        Assert.True(covered == policy.Covers(host), name);
    }

    [Theory]
    [InlineData(0, 300)]
    [InlineData(299, 300)]
    [InlineData(300, 300)]
    [InlineData(604800, 604800)]
    [InlineData(31557600, 31557600)]
    [InlineData(31557601, 31557600)]
    [InlineData(9999999999, 31557600)]
    public void A_policy_lives_five_minutes_at_least_and_a_year_at_most(long seconds, long lifetime) =>
        Assert.Equal(TimeSpan.FromSeconds(lifetime), new StsPolicy(StsMode.Enforce, TimeSpan.FromSeconds(seconds), ["mx.example"]).Lifetime);

    [Fact]
    public void Every_mx_counts_however_many_there_are()
    {
        var text = "version: STSv1\nmode: enforce\nmax_age: 1\n" + string.Concat(Enumerable.Range(0, 3000).Select(number => $"mx: mx{number}.example\n"));
        Assert.True(StsPolicy.TryParse(text, out var policy, out _));
        Assert.Equal(3000, policy.MxPatterns.Length);
        Assert.True(policy.Covers("mx2999.example"));
    }

    [Fact]
    public void The_lines_of_a_policy_are_reported_as_they_were_served_without_empty_ones() =>
        Assert.Equal(
            ["version: STSv1", "mode:enforce ", "mx: MX.example.", "max_age: 1"],
            StsPolicy.Lines("version: STSv1\r\n\r\nmode:enforce \n \nmx: MX.example.\nmax_age: 1"));
}
