using PolicyDaemon.Core.Discovery;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

public sealed class StsPolicyTests
{
    [Theory]
    [InlineData("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.example.com\nmx: *.example.net\n", StsMode.Enforce, 604800, "mx.example.com *.example.net")]
    [InlineData("version: STSv1\r\nmode: testing\r\nmx: MX.Example.COM.\r\nmax_age: 86400\r\n", StsMode.Testing, 86400, "mx.example.com")]
    [InlineData("version: STSv1\nmode: none\nmax_age: 0", StsMode.None, 0, "")]
    [InlineData("version:STSv1\nmode:enforce\nmode: none\nmx:mx.example\nmax_age:1\nmax_age: nonsense\nfuture: thing\n\n", StsMode.Enforce, 1, "mx.example")]
    public void A_policy_is_read(string text, StsMode mode, int seconds, string patterns)
    {
        Assert.True(StsPolicy.TryParse(text, out var policy, out _));
        Assert.Equal((mode, TimeSpan.FromSeconds(seconds)), (policy.Mode, policy.MaxAge));
        Assert.Equal(patterns, string.Join(' ', policy.MxPatterns));
    }

    [Theory]
    [InlineData("", "version")]
    [InlineData("<html>not found</html>", "colon")]
    [InlineData("mode: enforce\nmax_age: 1\nmx: mx.example\n", "version")]
    [InlineData("version: STSv1\nmode: strict\nmax_age: 1\nmx: mx.example\n", "mode")]
    [InlineData("version: STSv1\nmode: enforce\nmx: mx.example\n", "max_age")]
    [InlineData("version: STSv1\nmode: enforce\nmax_age: 31557601\nmx: mx.example\n", "max_age")]
    [InlineData("version: STSv1\nmode: enforce\nmax_age: -1\nmx: mx.example\n", "max_age")]
    [InlineData("version: STSv1\nmode: enforce\nmax_age: 1\n", "no mx line")]
    [InlineData("version: STSv1\nmode: enforce\nmax_age: 1\nmx: *\n", "mx line")]
    [InlineData("version: STSv1\nmode: enforce\nmax_age: 1\nmx: a b.example\n", "mx line")]
    public void What_RFC_8461_does_not_allow_is_no_policy(string text, string reason)
    {
        Assert.False(StsPolicy.TryParse(text, out _, out var why));
        Assert.Contains(reason, why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mx.example.com", true)]
    [InlineData("MX.example.com", true)]
    [InlineData("a.provider.test", true)]
    [InlineData("a.b.provider.test", false)] // a wildcard stands for one label
    [InlineData("provider.test", false)]
    [InlineData("mx.example.org", false)]
    public void A_pattern_covers_a_host(string host, bool covered)
    {
        Assert.True(StsPolicy.TryParse("version: STSv1\nmode: enforce\nmax_age: 1\nmx: mx.example.com\nmx: *.provider.test", out var policy, out _));
        Assert.Equal(covered, policy.Covers(host));
    }

    [Theory]
    [InlineData("v=STSv1; id=20160831085700Z;", "20160831085700Z")]
    [InlineData("v=STSv1;id=a", "a")]
    [InlineData("v=STSv1 ; future=x; id=b1;", "b1")]
    public void A_record_is_read(string text, string id)
    {
        Assert.True(StsRecord.IsMeant(text));
        Assert.True(StsRecord.TryParse(text, out var record, out _));
        Assert.Equal(id, record.Id);
    }

    [Theory]
    [InlineData("v=STSv1;")]
    [InlineData("v=STSv1; id=;")]
    [InlineData("v=STSv1; id=with-hyphen")]
    [InlineData("v=STSv1; id=123456789012345678901234567890123")]
    public void A_record_without_a_proper_id_is_none(string text) => Assert.False(StsRecord.TryParse(text, out _, out _));

    [Theory]
    [InlineData("v=spf1 -all")]
    [InlineData("V=STSv1; id=1")]
    [InlineData("v=STSv10; id=1")]
    public void Other_TXT_records_are_not_meant(string text) => Assert.False(StsRecord.IsMeant(text));
}
