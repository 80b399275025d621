using PolicyDaemon.Core.Destinations;
using Xunit;

namespace PolicyDaemon.Tests.Core.Destinations;

public sealed class LoggedNameTests
{
    [Theory]
    [InlineData("user@Example.com", "example.com", null, null, null)]
    [InlineData("<user@example.com>,", "example.com", null, null, null)]
    [InlineData("\"odd@name\"@example.com", "example.com", null, null, null)]
    [InlineData("to=<user@example.com>,", "example.com", null, null, null)]
    [InlineData("user@[192.0.2.1]", "[192.0.2.1]", null, null, null)]
    [InlineData("relay=mx.example.com[192.0.2.1]:25,", null, "mx.example.com", "192.0.2.1", 25)]
    [InlineData("mx.example.com[192.0.2.1]:25", null, "mx.example.com", "192.0.2.1", 25)]
    [InlineData("mx.example.com[192.0.2.1]", null, "mx.example.com", "192.0.2.1", null)]
    [InlineData("mx.example.com[2001:db8::1]:587", null, "mx.example.com", "2001:db8::1", 587)]
    [InlineData("[192.0.2.1]:25", null, null, "192.0.2.1", 25)]
    [InlineData("unknown[192.0.2.1]:25", null, null, "192.0.2.1", 25)]
    [InlineData("[IPv6:2001:db8::1]", null, null, "2001:db8::1", null)]
    [InlineData("2001:db8::1", null, null, "2001:db8::1", null)]
    public void What_a_log_shows_is_read(string text, string? domain, string? host, string? address, int? port)
    {
        Assert.True(LoggedName.TryParse(text, out var name));
        Assert.Equal((domain, host, address, port), (name.Domain?.Text, name.Host, name.Address?.ToString(), name.Port));
    }

    [Theory]
    [InlineData("")]
    [InlineData("example.com")]
    [InlineData("[mx.example.com]:587")]
    [InlineData("user@")]
    [InlineData("user@[mx.example.com]")]
    [InlineData("relay=none")]
    [InlineData("@")]
    [InlineData("mx.example.com[192.0.2.1]:0")]
    [InlineData("mx.example.com[192.0.2.1]:70000")]
    [InlineData("mx.example.com[192.0.2.1]x")]
    [InlineData("mx.example.com]192.0.2.1[")]
    [InlineData("-bad-[192.0.2.1]:25")]
    [InlineData("12345")]
    public void Anything_else_is_none(string text) => Assert.False(LoggedName.TryParse(text, out _));
}
