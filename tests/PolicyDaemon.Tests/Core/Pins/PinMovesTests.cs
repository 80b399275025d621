using System.Collections.Immutable;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Tests.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Pins;

public class PinMovesTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20_000);

    [Theory]
    [InlineData(null, "standby active rejected revoked", "candidate active retiring")]
    [InlineData(PinState.Candidate, "standby active rejected revoked", "standby active retired")]
    [InlineData(PinState.Standby, "retired rejected revoked", "active retired")]
    [InlineData(PinState.Active, "retired rejected revoked", "retiring retired")]
    [InlineData(PinState.Retiring, "retired rejected revoked", "retired")]
    [InlineData(PinState.Retired, "standby active rejected revoked", "candidate")]
    [InlineData(PinState.Rejected, "standby active", "")]
    [InlineData(PinState.Revoked, "standby active rejected", "")]
    public void A_state_is_followed_by_these(PinState? from, string person, string rules)
    {
        Assert.Equal(person, After(PinMover.Person));
        Assert.Equal(rules, After(PinMover.Rules));

        string After(PinMover by) =>
            string.Join(' ', Enum.GetValues<PinState>().Where(to => PinMoves.IsLegal(from, to, by)).Select(state => state.Name()));
    }

    [Fact]
    public void Serving_adds_readmits_and_leaves_what_is_served_as_it_is()
    {
        ImmutableArray<Pin> pins = [Pin(0, PinState.Active), Pin(1, PinState.Retired), Pin(2, PinState.Rejected)];

        var after = Enumerable.Range(0, 4).Aggregate(pins, (known, number) => known.Serve(
            Pin(number, PinState.Standby) with { Subject = PinSubject.PublicKey, Strength = PinStrength.Tofu, Since = Now }));

        Assert.Equal([PinState.Active, PinState.Standby, PinState.Standby, PinState.Standby], after.Select(pin => pin.State));
        Assert.Equal([PinStrength.Person, PinStrength.Tofu, PinStrength.Tofu, PinStrength.Tofu], after.Select(pin => pin.Strength));
        Assert.All(after, pin => Assert.Equal(PinSubject.PublicKey, pin.Subject));
        Assert.Equal(DateTimeOffset.UnixEpoch, after[0].Since);
    }

    [Fact]
    public void What_a_pin_is_of_is_not_forgotten()
    {
        ImmutableArray<Pin> pins = [Pin(0, PinState.Retired) with { Subject = PinSubject.Certificate }];

        Assert.Equal(PinSubject.Certificate, Assert.Single(pins.Serve(Pin(0, PinState.Standby))).Subject);
    }

    [Fact]
    public void Retiring_keeps_the_pin_for_the_record()
    {
        ImmutableArray<Pin> pins = [Pin(0, PinState.Active), Pin(1, PinState.Candidate)];

        var retired = pins.Retire(pins[0].Fingerprint, Now)[0];

        Assert.Equal((PinState.Retired, PinStrength.Person, Now), (retired.State, retired.Strength, retired.Since));
        Assert.Throws<InvalidOperationException>(() => pins.Retire(pins[1].Fingerprint, Now));
    }

    [Fact]
    public void Rejecting_is_for_good_and_of_any_key()
    {
        ImmutableArray<Pin> pins = [Pin(0, PinState.Active), Pin(1, PinState.Rejected)];

        var after = pins.Reject(pins[0].Fingerprint, Now).Reject(pins[1].Fingerprint, Now).Reject(Pin(2, PinState.Active).Fingerprint, Now);

        Assert.All(after, pin => Assert.Equal(PinState.Rejected, pin.State));
        Assert.Equal([Now, DateTimeOffset.UnixEpoch, Now], after.Select(pin => pin.Since));
    }

    [Theory]
    [InlineData(PinState.Retired, true)]
    [InlineData(PinState.Rejected, true)]
    [InlineData(PinState.Retiring, false)]
    public void The_last_served_pin_is_seen(PinState to, bool takes)
    {
        Pin[] pins = [Pin(0, PinState.Active), Pin(1, PinState.Candidate)];

        Assert.Equal(takes, PinMoves.TakesLastServed(pins, pins[0], to));
        Assert.False(PinMoves.TakesLastServed(pins, pins[1], to));
        Assert.False(PinMoves.TakesLastServed([.. pins, Pin(2, PinState.Standby)], pins[0], to));
    }

    private static Pin Pin(int number, PinState state) => Entries.Pin(number.ToString("x64", null), state);
}
