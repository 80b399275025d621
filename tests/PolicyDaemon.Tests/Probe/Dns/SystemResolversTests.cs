using PolicyDaemon.Probe.Dns;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Dns;

public sealed class SystemResolversTests
{
    [Theory]
    [InlineData("", "127.0.0.1:53")]
    [InlineData("search example.com\n#nameserver 192.0.2.9\nnameserver\nnameserver dns.example\n", "127.0.0.1:53")]
    [InlineData("nameserver 127.0.0.53\noptions edns0\n", "127.0.0.53:53")]
    [InlineData("nameserver\t192.0.2.1   trailing\n nameserver 2001:db8::1\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n", "192.0.2.1:53 [2001:db8::1]:53 192.0.2.3:53")]
    public void The_resolvers_are_those_that_the_resolver_library_takes(string text, string expected)
    {
        Assert.Equal(expected, string.Join(' ', SystemResolvers.Parse(text.Split('\n'))));
    }
}
