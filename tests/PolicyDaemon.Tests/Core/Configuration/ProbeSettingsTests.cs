using System.Net;
using System.Text;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Configuration;

public sealed class ProbeSettingsTests
{
    [Fact]
    public void An_empty_file_probes_by_the_design()
    {
        var probe = Parse("");

        Assert.True(probe.Enabled);
        Assert.False(probe.ResolverTrusted);
        Assert.False(probe.PrivateAddresses);
        Assert.False(probe.SkipsBogusTest);
        Assert.Empty(probe.Resolvers);
        Assert.Null(probe.HeloName);
        Assert.Equal(RotationOptions.Default, probe.Rotation);
        Assert.Equal(
            [TimeSpan.FromHours(24), TimeSpan.FromHours(1), TimeSpan.FromHours(4), TimeSpan.FromMinutes(5)],
            [probe.Interval, probe.RenewalInterval, probe.CandidateInterval, probe.LookupStaleness]);
        Assert.Equal([TimeSpan.FromHours(4), TimeSpan.FromHours(24), TimeSpan.FromHours(72)], probe.Alerts.Escalation);
        Assert.False(probe.Alerts.HasChannel);
    }

    [Fact]
    public void Everything_can_be_said()
    {
        var probe = Parse(
            """
            enabled = no
            resolver = 127.0.0.53, 192.0.2.1:5353, ::1, [2001:db8::1]:54
            resolver_trusted = yes
            dnssec_test_secure = Secure.Example
            dnssec_test_bogus = none
            ca_file = /etc/ssl/test.pem
            private_addresses = yes
            helo_name = mail.example.com
            bind_address = 192.0.2.7
            bind_address6 = 2001:db8::7
            interval = 90s
            retire_grace = 20d
            brake_least = 7
            alert_command = /usr/local/bin/tell --on call
            alert_webhook = https://alerts.example.com/x?y=1
            alert_escalation = 30s, 1h
            """);

        Assert.False(probe.Enabled);
        Assert.Equal(
            [new(IPAddress.Parse("127.0.0.53"), 53), new(IPAddress.Parse("192.0.2.1"), 5353), new(IPAddress.IPv6Loopback, 53),
                new IPEndPoint(IPAddress.Parse("2001:db8::1"), 54)],
            probe.Resolvers);
        Assert.True(probe.ResolverTrusted);
        Assert.Equal(("secure.example", null, true), (probe.DnssecTestSecure, probe.DnssecTestBogus, probe.SkipsBogusTest));
        Assert.Equal("/etc/ssl/test.pem", probe.CaFile.Text);
        Assert.True(probe.PrivateAddresses);
        Assert.Equal("mail.example.com", probe.HeloName);
        Assert.Equal((IPAddress.Parse("192.0.2.7"), IPAddress.Parse("2001:db8::7")), (probe.BindAddress, probe.BindAddress6));
        Assert.Equal((TimeSpan.FromSeconds(90), TimeSpan.FromDays(20), 7), (probe.Interval, probe.Rotation.RetireGrace, probe.Rotation.BrakeAtLeast));
        Assert.Equal(["/usr/local/bin/tell", "--on", "call"], probe.Alerts.Command);
        Assert.Equal("https://alerts.example.com/x?y=1", probe.Alerts.Webhook?.ToString());
        Assert.Equal([TimeSpan.FromSeconds(30), TimeSpan.FromHours(1)], probe.Alerts.Escalation);
    }

    [Theory]
    [InlineData("helo_name = [192.0.2.1]", "[192.0.2.1]")]
    [InlineData("helo_name = [IPv6:2001:db8::1]", "[IPv6:2001:db8::1]")]
    public void An_address_literal_is_a_name_for_ehlo(string line, string expected)
    {
        Assert.Equal(expected, Parse(line).HeloName);
    }

    [Theory]
    [InlineData("enabled = true", "probe.enabled: 'true' is neither yes nor no")]
    [InlineData("resolver = dns.example", "probe.resolver: 'dns.example' is no resolver; write ADDRESS, ADDRESS:PORT or [IPV6]:PORT, such as 127.0.0.1:53")]
    [InlineData("resolver = 1", "probe.resolver: '1' is no resolver; write ADDRESS, ADDRESS:PORT or [IPV6]:PORT, such as 127.0.0.1:53")]
    [InlineData("resolver = 127.0.0.1:0", "probe.resolver: '127.0.0.1:0' is no resolver; write ADDRESS, ADDRESS:PORT or [IPV6]:PORT, such as 127.0.0.1:53")]
    [InlineData("resolver = [127.0.0.1]:53", "probe.resolver: '[127.0.0.1]:53' is no resolver; write ADDRESS, ADDRESS:PORT or [IPV6]:PORT, such as 127.0.0.1:53")]
    [InlineData("dnssec_test_bogus = no name", "probe.dnssec_test_bogus: 'no name' is no domain name")]
    [InlineData("dnssec_test_secure = 192.0.2.1", "probe.dnssec_test_secure: '192.0.2.1' is no domain name")]
    [InlineData("ca_file = roots.pem", "probe.ca_file: 'roots.pem' is not an absolute path")]
    [InlineData("helo_name = [mail]", "probe.helo_name: '[mail]' is no domain name")]
    [InlineData("bind_address = ::1", "probe.bind_address: '::1' is no IPv4 address")]
    [InlineData("bind_address6 = 192.0.2.1", "probe.bind_address6: '192.0.2.1' is no IPv6 address")]
    [InlineData("interval = 24", "probe.interval: '24' is not a time from 1s to 30d; write a number and one of s, m, h, d, such as 15m")]
    [InlineData("interval = 0s", "probe.interval: '0s' is not a time from 1s to 30d; write a number and one of s, m, h, d, such as 15m")]
    [InlineData("interval = 1h30m", "probe.interval: '1h30m' is not a time from 1s to 30d; write a number and one of s, m, h, d, such as 15m")]
    [InlineData("interval = 31d", "probe.interval: '31d' is not a time from 1s to 30d; write a number and one of s, m, h, d, such as 15m")]
    [InlineData("retire_grace = 99999999999d", "probe.retire_grace: '99999999999d' is not a time from 1s to 365d; write a number and one of s, m, h, d, such as 15m")]
    [InlineData("hold_down_probes = 1", "probe.hold_down_probes: '1' is not a number from 2 to 100")]
    [InlineData("brake_percent = 0", "probe.brake_percent: '0' is not a number from 1 to 100")]
    [InlineData("alert_command = mail root", "probe.alert_command: 'mail' is not an absolute path; no shell reads this, so a pipe or a variable needs a script")]
    [InlineData("alert_webhook = ftp://example.com/", "probe.alert_webhook: 'ftp://example.com/' is no URL; write https://HOST/PATH")]
    [InlineData("alert_escalation = 4h, 4h", "probe.alert_escalation: '4h' does not come after '4h'; write them in ascending order")]
    [InlineData("alert_escalation = soon", "probe.alert_escalation: 'soon' is not a time from 1s to 30d; write a number and one of s, m, h, d, such as 15m")]
    public void A_mistake_is_reported_with_file_line_and_key(string line, string expected)
    {
        var exception = Assert.Throws<ConfigurationException>(() => Parse(line));

        Assert.Equal([$"x.conf:2: {expected}"], exception.Problems.Select(problem => problem.ToString()));
    }

    [Theory]
    [InlineData("1s", 1)]
    [InlineData("90s", 90)]
    [InlineData("15m", 900)]
    [InlineData("48h", 172800)]
    [InlineData("14d", 1209600)]
    public void A_time_is_read_and_written(string text, int seconds)
    {
        Assert.True(Durations.TryParse(text, out var span));
        Assert.Equal(seconds, span.TotalSeconds);
        Assert.Equal(text, span.ToText());
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("1 s")]
    [InlineData("1S")]
    [InlineData("1.5h")]
    [InlineData("40000d")]
    public void What_is_no_time_is_refused(string text)
    {
        Assert.False(Durations.TryParse(text, out _));
    }

    private static ProbeSettings Parse(string lines) =>
        SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes("[probe]\n" + lines)).Probe;
}
