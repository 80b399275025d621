using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Forecast;

public sealed class LevelCommandTests
{
    [Theory]
    [InlineData("example.com", TlsLevel.Secure, "", false, "policyctl domain add example.com --level secure")]
    [InlineData("example.com", TlsLevel.Secure, "mx.a.test mx.b.test", false, "policyctl domain add example.com --level secure --match mx.a.test --match mx.b.test")]
    [InlineData("example.com", TlsLevel.Secure, "", true, "policyctl domain add example.com --level secure --servername hostname")]
    [InlineData("example.com", TlsLevel.Fingerprint, "", false, "policyctl domain add example.com --level fingerprint --probe")]
    [InlineData("[mx.example.com]:587", TlsLevel.DaneOnly, "", false, "policyctl domain add '[mx.example.com]:587' --level dane-only")]
    [InlineData(".example.com", TlsLevel.Fingerprint, "", false, "policyctl domain add .example.com --level fingerprint --probe --probe-as mx.a.test")]
    [InlineData(".example.com", TlsLevel.Secure, "mx.a.test", false, "policyctl domain add .example.com --level secure --match mx.a.test --probe-as mx.a.test")]
    public void A_level_becomes_the_command_that_sets_it(string key, TlsLevel level, string match, bool sendsName, string command)
    {
        var nextHop = NextHop.Parse(key);
        var resolution = new MxResolution
        {
            NextHop = nextHop,
            At = DateTimeOffset.UnixEpoch,
            Port = 25,
            Outcome = DnsOutcome.Found,
            Hosts = [new MxHost { Name = "mx.a.test" }],
        };
        var forecast = new LevelForecast(level, [.. match.Split(' ', StringSplitOptions.RemoveEmptyEntries)], sendsName, new MailForecast([MailResult.SentOverTls], false, [], 0));

        Assert.Equal(command, LevelCommand.Text(nextHop, null, forecast, resolution));
    }
}
