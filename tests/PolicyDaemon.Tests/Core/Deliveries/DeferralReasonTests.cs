using PolicyDaemon.Core.Deliveries;
using Xunit;

namespace PolicyDaemon.Tests.Core.Deliveries;

public sealed class DeferralReasonTests
{
    [Theory]
    [InlineData("Server certificate not verified", true)]
    [InlineData("Server certificate not trusted", true)]
    [InlineData("TLS is required, but was not offered by host mx.example.com[192.0.2.1]", true)]
    [InlineData("Cannot start TLS: handshake failure", true)]
    [InlineData("client TLS configuration problem", true)]
    [InlineData("non DNSSEC destination", true)]
    [InlineData("connect to mx.example.com[192.0.2.1]:25: Connection timed out", false)]
    [InlineData("host mx.example.com[192.0.2.1] said: 530 5.7.0 Must issue a STARTTLS command first (in reply to MAIL FROM command)", false)]
    [InlineData("", false)]
    public void TLS_and_the_policy_are_told_from_the_route_and_from_what_servers_say(string reason, bool isOfPolicy) =>
        Assert.Equal(isOfPolicy, DeferralReason.IsOfPolicy(reason));
}
