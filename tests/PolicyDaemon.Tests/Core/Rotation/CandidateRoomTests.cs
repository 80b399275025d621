using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

/// <summary>A stranger who shows many keys neither keeps the right one out nor fills the store.</summary>
public sealed class CandidateRoomTests
{
    private const string A = "192.0.2.1";

    private readonly RotationScenario world = new();

    public CandidateRoomTests()
    {
        world.Server(A);
        world.Pin("old");
        world.See(A, "old");
        world.Step();
    }

    [Theory]
    [InlineData(PinMode.Assist)]
    [InlineData(PinMode.Locked)]
    public void The_key_presented_now_always_has_room_and_the_oldest_makes_way(PinMode mode)
    {
        world.Mode = mode;
        Flood(30);
        Assert.Equal(16, world.Pins.Count(pin => pin.State == PinState.Candidate));
        Assert.Equal(PinState.Candidate, world.StateOf("junk 29"));
        Assert.Null(world.StateOf("junk 13"));

        world.Now = world.Now.AddHours(1);
        world.See(A, "genuine");
        var result = world.Step();

        Assert.Equal(PinState.Candidate, world.StateOf("genuine"));
        Assert.Equal(RotationScenario.KeyOf("genuine"), Assert.Single(Assert.Single(result.Findings, finding => finding.Kind == FindingKind.TooManyKeys).Seen).PublicKey);
        Assert.Equal(17, world.Pins.Count);
    }

    [Fact]
    public void Too_many_keys_does_not_begin_and_end_with_each_of_them()
    {
        Flood(20);
        for (var probe = 0; probe < 20; probe++)
        {
            world.Now = world.Now.AddHours(1);
            world.See(A, probe % 2 == 0 ? "old" : $"more {probe}");
            Assert.Contains(world.Step().Findings, finding => finding.Kind == FindingKind.TooManyKeys);
        }
    }

    [Fact]
    public void What_a_zone_announces_does_not_make_way()
    {
        world.Secure();
        world.Tlsa.Add(RotationScenario.TlsaOf("old"));
        world.Tlsa.Add(RotationScenario.TlsaOf("next"));
        world.Step();
        Assert.Equal(PinState.Candidate, world.StateOf("next"));

        Flood(30);

        Assert.Equal(PinState.Candidate, world.StateOf("next"));
    }

    [Fact]
    public void A_key_that_was_trusted_once_makes_way_and_stays_on_record()
    {
        world.Pin("former", PinState.Retired);
        world.Now = world.Now.AddHours(1);
        world.See(A, "former");
        world.Step();
        Flood(20);

        Assert.Equal((PinState.Retired, PinStrength.Person), (world.StateOf("former"), world.Pins.Find(pin => pin.Fingerprint == RotationScenario.KeyOf("former"))!.Strength));
    }

    [Fact]
    public void A_candidate_has_no_strength_and_none_when_it_has_gone()
    {
        world.Now = world.Now.AddHours(1);
        world.See(A, "once");
        world.Step();
        Assert.Null(Find("once").Strength);

        world.Days(31, () => world.See(A, "old"));

        Assert.Equal((PinState.Retired, null), (Find("once").State, Find("once").Strength));
    }

    [Fact]
    public void What_nobody_ever_trusted_is_not_kept_without_end()
    {
        for (var month = 0; month < 4; month++)
        {
            for (var key = 0; key < 12; key++)
            {
                world.Now = world.Now.AddMinutes(10);
                world.See(A, $"stranger {month} {key}");
                world.Step();
            }

            world.Days(31, () => world.See(A, "old"), everyHours: 24);
        }

        Assert.InRange(world.Pins.Count(pin => pin.State == PinState.Retired), 12, 16);
    }

    [Fact]
    public void Nothing_forgets_a_pin_that_was_trusted()
    {
        var pin = new Pin(RotationScenario.KeyOf("former"), PinSubject.PublicKey, PinState.Retired, PinStrength.Dane, world.Now);
        var proposed = new PinTransition(pin.Fingerprint, pin.Subject, pin.State, null, null, RotationRule.MadeWay, "x");

        Assert.Empty(PinTransitions.Apply([pin], [proposed], PinMode.Auto, world.Now, _ => true).Applied);
        Assert.NotEmpty(PinTransitions.Apply([pin with { Strength = null }], [proposed], PinMode.Auto, world.Now, _ => true).Applied);
    }

    private Pin Find(string key) => world.Pins.Find(pin => pin.Fingerprint == RotationScenario.KeyOf(key))!;

    private void Flood(int keys)
    {
        for (var i = 0; i < keys; i++)
        {
            world.Now = world.Now.AddHours(1);
            world.See(A, $"junk {i}");
            world.Step();
        }
    }
}
