using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using Xunit;

namespace PolicyDaemon.Tests.Lookup;

public sealed class MapEndpointTests
{
    [Theory]
    [InlineData("inet:127.0.0.1:8461", "127.0.0.1:8461")]
    [InlineData("inet:[::1]:8461", "[::1]:8461")]
    [InlineData("inet:localhost:8461", "127.0.0.1:8461")]
    [InlineData("inet:127.0.0.1:0", "127.0.0.1:0")]
    public void Addresses_are_read(string text, string expected)
    {
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, text, out var endpoint, out _));
        Assert.Equal(expected, endpoint.Address!.ToString());
        Assert.Equal(text, endpoint.ToString());
    }

    [Fact]
    public void A_star_is_every_address()
    {
        Assert.True(MapEndpoint.TryParse(MapProtocol.TcpTable, "inet:*:8461", out var endpoint, out _));
        Assert.True(endpoint.IsAnyAddress);
    }

    [Fact]
    public void A_path_is_read()
    {
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, "unix:/run/policydaemon/socketmap", out var endpoint, out _));
        Assert.Equal("/run/policydaemon/socketmap", endpoint.Path);
        Assert.Null(endpoint.Address);
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:8461")]
    [InlineData("tcp:127.0.0.1:8461")]
    [InlineData("inet:127.0.0.1")]
    [InlineData("inet:127.0.0.1:")]
    [InlineData("inet:127.0.0.1:65536")]
    [InlineData("inet:127.0.0.1:-1")]
    [InlineData("inet:127.0.0.1:+1")]
    [InlineData("inet:127.0.0.1:smtp")]
    [InlineData("inet:127.1:8461")]
    [InlineData("inet:mail.example.com:8461")]
    [InlineData("inet:::1:8461")]
    [InlineData("inet:[127.0.0.1]:8461")]
    [InlineData("inet::8461")]
    [InlineData("unix:")]
    [InlineData("unix:run/socketmap")]
    [InlineData("unix:/run/")]
    [InlineData("unix:/run/a\nb")]
    [InlineData("unix:/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789/abcdef")]
    public void Anything_else_is_refused_with_what_to_write(string text)
    {
        Assert.False(MapEndpoint.TryParse(MapProtocol.Socketmap, text, out _, out var reason));
        Assert.NotEmpty(reason);
    }

    [Theory]
    [InlineData("inet:localhost:8461", "inet:127.0.0.1:8461", true)]
    [InlineData("unix:/run/a", "unix:/run/a", true)]
    [InlineData("unix:/run/a", "unix:/run/b", false)]
    [InlineData("inet:127.0.0.1:0", "inet:127.0.0.1:0", false)]
    public void Endpoints_at_one_place_overlap(string one, string other, bool overlaps)
    {
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, one, out var first, out var reason), reason);
        Assert.True(MapEndpoint.TryParse(MapProtocol.TcpTable, other, out var second, out reason), reason);

        Assert.Equal(overlaps, first.Overlaps(second));
    }
}
