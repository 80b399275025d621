using System.Net;
using PolicyDaemon.Cli.Commands.Domains;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Tests.Store;
using PolicyDaemon.Tests.Store.Probing;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class ProbedFactsTests
{
    /// <summary>At dane-only the MX host's name is sent (SNI), at fingerprint none: the addresses are the same, and DNS names them.</summary>
    [Theory]
    [InlineData("192.0.2.1", "mx1.example", "(as shown with SNI mx1.example, which is not sent any more)")]
    [InlineData("192.0.2.1", null, "(as shown without SNI, which is sent now)")]
    [InlineData("192.0.2.9", "mx1.example", "(not in DNS any more)")]
    public void Why_an_address_is_not_probed_any_more_is_told(string address, string? name, string told)
    {
        var known = new ProbeState
        {
            Resolution = LedgerFixture.Resolution("example.com", DateTimeOffset.UnixEpoch, 1),
            Addresses = [new MxAddress { MxHost = "mx1.example", History = new AddressHistory(new ProbeTarget(IPAddress.Parse(address), 25, name)), Listed = false }],
        };

        var table = ProbedFacts.Addresses(known, TemporaryStore.Pinned("example.com", LedgerFixture.Pin(0)), PostfixSettings.Default);

        Assert.EndsWith(told, Assert.Single(table.Rows)[2].Text, StringComparison.Ordinal);
    }
}
