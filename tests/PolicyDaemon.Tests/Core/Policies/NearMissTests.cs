using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Policies;

/// <summary>The command that a near miss is given: it may neither protect less than main.cf says nor defer mail that goes to other servers.</summary>
public class NearMissTests
{
    [Theory]
    [InlineData("[mx.example]:587", "[mx.example] encrypt", TlsLevel.May, "[mx.example]")]
    [InlineData("[mx.example]:587", "[mx.example] encrypt|[mx.example]:587 secure", TlsLevel.May, "[mx.example]:587")]
    [InlineData("[mx.example]:587", "mx.example secure", TlsLevel.May, null)] // the MX hosts of the domain
    [InlineData("mx.example", "[mx.example] secure", TlsLevel.May, null)]
    [InlineData("mx.example", "mx.example:25 may", TlsLevel.None, null)]
    [InlineData("mx.example", "mx.example:25 encrypt", TlsLevel.Secure, null)]
    [InlineData("mx.example", "mx.example:25 secure", TlsLevel.Secure, "mx.example:25")]
    [InlineData("mx.example", "mx.example:25 default", TlsLevel.May, null)]
    public void It_copies_what_is_as_much_and_for_the_same_servers(string asked, string entries, TlsLevel level, string? like)
    {
        var configured = entries.Split('|').Select(entry => entry.Split(' ')).Select(words =>
            Entries.Of(TlsLevels.TryParse(words[1], out var its) ? its : throw new FormatException(words[1]), words[0]));
        var command = NearMiss.Command(NextHop.Parse(asked), configured, PostfixSettings.Default with { SecurityLevel = level });

        Assert.Equal(like is null ? null : NearMiss.Like(NextHop.Parse(asked), NextHop.Parse(like)), command);
    }
}
