using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Daemon.Alerts;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Alerts;

/// <summary>The mail that waits, as an extra of an alert.</summary>
public sealed class AlertQueueTests
{
    private const string Waits = """{"queue_name": "deferred", "queue_id": "4bQ", "arrival_time": 1795961977, "recipients": [{"address": "a@partner.example"}]}""";

    [Theory]
    [InlineData("pin-mismatch", "partner.example", true, 1L)]
    [InlineData("pin-mismatch", "other.example", true, 0L)]
    [InlineData("pin-mismatch", "other.example", false, null)]
    [InlineData("pin-mismatch", "[mx.partner.example]", true, null)]
    [InlineData("pin-mismatch", "other.example:587", true, null)]
    [InlineData("resolver-not-validating", "resolver", true, null)]
    [InlineData("snapshot-not-saved", "disk", true, null)]
    [InlineData("discovery-trouble", "discovery", true, null)]
    [InlineData("dns-trouble", "lookups", true, null)]
    [InlineData("many-findings", "findings-7", true, null)]
    public void Nothing_is_said_of_what_is_not_known(string kind, string subject, bool isWhole, long? expected)
    {
        var told = AlertQueue.WithMail(Message(kind, subject), () => WaitingMail.Read([Waits], isWhole, TimeSpan.FromDays(5)));
        Assert.Equal(expected, told.WaitingMessages);
        Assert.Equal(expected > 0, told.ReturnedAt is not null);
    }

    [Fact]
    public void A_queue_that_cannot_be_read_costs_no_alert()
    {
        var message = Message("pin-mismatch", "partner.example");
        Assert.Equal(message, AlertQueue.WithMail(message, () => null));
        Assert.Equal(message, AlertQueue.WithMail(message, () => throw new InvalidOperationException("anything")));
    }

    private static AlertMessage Message(string kind, string subject) => AlertProcessTests.Message with
    {
        Finding = new FindingJson(kind, subject, "x", "y", AlertProcessTests.Message.At),
    };
}
