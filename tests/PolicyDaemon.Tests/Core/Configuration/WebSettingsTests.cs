using System.Text;
using PolicyDaemon.Core.Configuration;
using Xunit;

namespace PolicyDaemon.Tests.Core.Configuration;

public sealed class WebSettingsTests
{
    [Fact]
    public void By_default_pages_are_served_on_a_unix_socket_and_for_local_names_only()
    {
        var web = Read("").Web;

        Assert.Equal("/run/policydaemon/web.sock", web.Socket);
        Assert.Null(web.Address);
        Assert.Empty(web.Hosts);
        Assert.Equal(TimeSpan.FromMinutes(10), web.Idle);
    }

    [Theory]
    [InlineData("inet:127.0.0.1:8464", "127.0.0.1:8464")]
    [InlineData("inet:localhost:80", "127.0.0.1:80")]
    [InlineData("inet:[::1]:8464", "[::1]:8464")]
    public void Loopback_may_be_listened_on(string listen, string address) => Assert.Equal(address, Read($"listen = {listen}").Web.Address?.ToString());

    [Theory]
    [InlineData("listen = inet:0.0.0.0:8464", "is not on loopback")]
    [InlineData("listen = inet:192.0.2.1:8464", "is not on loopback")]
    [InlineData("listen = inet:127.0.0.1", "is neither unix:PATH nor inet:HOST:PORT")]
    [InlineData("listen = inet:::1", "is neither unix:PATH nor inet:HOST:PORT")]
    [InlineData("listen = /run/web.sock", "is neither unix:PATH nor inet:HOST:PORT")]
    [InlineData("listen =", "is neither unix:PATH nor inet:HOST:PORT")]
    [InlineData("listen = unix:web.sock", "is not an absolute path")]
    [InlineData("listen = unix:/run/web/", "names no file")]
    [InlineData("hosts = ok.example, http://x/", "is no host name")]
    [InlineData("idle = 2d", "is not a time from 0s to 1d")]
    public void What_cannot_be_meant_is_refused(string line, string reason) =>
        Assert.Contains(reason, Assert.Throws<ConfigurationException>(() => Read(line)).Message, StringComparison.Ordinal);

    [Fact]
    public void Hosts_are_compared_as_browsers_send_them() => Assert.Equal(["mail.example.com", "b.example"], Read("hosts = Mail.Example.COM, b.example").Web.Hosts);

    private static Settings Read(string line) => SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes($"[store]\ndatabase = /x/policy.db\n[web]\n{line}\n"));
}
