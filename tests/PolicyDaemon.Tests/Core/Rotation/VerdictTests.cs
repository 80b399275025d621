using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

public sealed class VerdictTests
{
    private const string Good = "good", Bad = "bad", Down = "down", NoTls = "no tls", Broken = "broken";

    [Theory]
    [InlineData(DestinationVerdict.Ok, Good)]
    [InlineData(DestinationVerdict.Ok, Good, Good)]
    [InlineData(DestinationVerdict.Ok, Good, Down)]
    [InlineData(DestinationVerdict.Degraded, Good, Bad)]
    [InlineData(DestinationVerdict.Degraded, Good, NoTls)]
    [InlineData(DestinationVerdict.Degraded, Good, Broken)]
    [InlineData(DestinationVerdict.Mismatch, Bad)]
    [InlineData(DestinationVerdict.Mismatch, Bad, Down)]
    [InlineData(DestinationVerdict.Mismatch, NoTls, Bad)]
    [InlineData(DestinationVerdict.Unreachable, Down, Down)]
    [InlineData(DestinationVerdict.Unknown)]
    public void A_verdict_says_what_would_happen_to_mail(DestinationVerdict expected, params string[] addresses)
    {
        var world = new RotationScenario();
        world.Pin("pinned");
        for (var i = 0; i < addresses.Length; i++)
        {
            var address = $"192.0.2.{i + 1}";
            world.Server(address);
            switch (addresses[i])
            {
                case Good: world.See(address, "pinned"); break;
                case Bad: world.See(address, "other"); break;
                case Down: world.Fail(address, ProbeOutcome.ConnectionRefused); break;
                case NoTls: world.Fail(address, ProbeOutcome.StartTlsNotSupported); break;
                case Broken: world.Fail(address, ProbeOutcome.HandshakeFailed); break;
            }
        }

        Assert.Equal(expected, world.Evaluate().Verdict);
    }

    [Fact]
    public void One_pinned_certificate_of_two_algorithms_is_degraded()
    {
        var world = new RotationScenario();
        world.Pin("pinned");
        world.Server("192.0.2.1");
        world.Observe(
            "192.0.2.1", ProbeOutcome.Secured,
            [(RotationScenario.Certificate("pinned"), false), (RotationScenario.Certificate("rsa", algorithm: KeyAlgorithm.Rsa), false)]);

        Assert.Equal(DestinationVerdict.Degraded, world.Evaluate().Verdict);
    }

    [Fact]
    public void Without_a_served_pin_there_is_nothing_to_say()
    {
        var world = new RotationScenario();
        world.Server("192.0.2.1");
        world.See("192.0.2.1", "any");

        Assert.Equal(DestinationVerdict.Unknown, world.Evaluate().Verdict);
    }
}
