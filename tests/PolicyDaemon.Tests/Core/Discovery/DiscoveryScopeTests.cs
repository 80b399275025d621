using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

public sealed class DiscoveryScopeTests
{
    [Theory]
    [InlineData("example.com", true)]
    [InlineData("a.b.example.com", true)]
    [InlineData("Example.COM.", true)]
    [InlineData("m\u00fcnchen.example", true)]
    [InlineData("_x.example.com", true)]
    [InlineData("example.com:587", true)]
    [InlineData("example.com:submission", true)]
    [InlineData("[mx.example.com]", true)]
    [InlineData("[mx.example.com]:587", true)]
    [InlineData(".example.com", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("[192.0.2.1]", false)]
    [InlineData("[192.0.2.1]:25", false)]
    [InlineData("[2001:db8::1]", false)]
    [InlineData("12345", false)]
    [InlineData("example.com:quux", false)] // a service name that nobody knows here
    [InlineData("private/lmtp", false)]
    [InlineData("localhost", false)]
    [InlineData("mail.localhost", false)]
    [InlineData("printer.local", false)]
    [InlineData("[printer.local]:25", false)]
    [InlineData("abc.onion", false)]
    [InlineData("mail.internal", false)]
    [InlineData("home.arpa", false)]
    [InlineData("mail.home.arpa", false)]
    [InlineData("notlocal", true)]
    [InlineData("example.notlocal", true)]
    [InlineData("skipped.example", false)]
    [InlineData("a.skipped.example", true)]
    [InlineData("a.below.example", false)]
    [InlineData("a.b.below.example:587", false)]
    [InlineData("below.example", true)]
    public void What_is_discovered_is_a_domain_or_a_host_of_the_world(string key, bool included)
    {
        Assert.True(NextHop.TryParse(key, out var nextHop, out var reason), reason);
        Assert.Equal(included, new DiscoveryScope(["skipped.example", ".below.example"]).Includes(nextHop));
    }
}
