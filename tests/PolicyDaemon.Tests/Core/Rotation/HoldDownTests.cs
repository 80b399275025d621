using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

/// <summary>Evidence B takes probes spread over the whole hold-down: whoever holds a certificate for minutes gets nowhere, whatever the clock and the daemon do.</summary>
public sealed class HoldDownTests
{
    private const string A = "192.0.2.1", B = "192.0.2.2";

    private readonly RotationScenario world = new() { Mode = PinMode.Auto };

    public HoldDownTests()
    {
        world.Server(A);
        world.Pin("old");
        world.Secure();
        world.See(A, "old", trusted: true);
        world.Step();
    }

    [Fact]
    public void Probes_at_the_beginning_and_one_at_the_end_are_not_spread()
    {
        for (var probe = 0; probe < 5; probe++)
            See(hours: 0.1);
        See(hours: 25);

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void A_daemon_that_was_stopped_for_longer_than_a_quarter_begins_anew()
    {
        for (var probe = 0; probe < 4; probe++)
            See(hours: 4);
        See(hours: 7);
        for (var probe = 0; probe < 5; probe++)
            See(hours: 4);
        Assert.Equal(PinState.Candidate, world.StateOf("new"));

        See(hours: 4);
        Assert.Equal(PinState.Active, world.StateOf("new"));
    }

    [Fact]
    public void A_gap_of_a_quarter_and_no_longer_is_none()
    {
        for (var probe = 0; probe < 5; probe++)
            See(hours: 6);

        Assert.Equal(PinState.Active, world.StateOf("new"));
    }

    [Fact]
    public void Probes_every_five_minutes_count_like_those_every_four_hours()
    {
        for (var minutes = 0; minutes < 24 * 60; minutes += 5)
            See(hours: 5.0 / 60);
        Assert.Equal(PinState.Candidate, world.StateOf("new"));
        See(hours: 5.0 / 60);

        Assert.Equal(PinState.Active, world.StateOf("new"));
        Assert.InRange(world.Evaluate().Transitions.Length, 0, 0);
    }

    [Fact]
    public void A_gap_hides_behind_no_number_of_probes()
    {
        for (var minutes = 0; minutes < 12 * 60; minutes += 5)
            See(hours: 5.0 / 60);
        See(hours: 6.1);
        for (var minutes = 0; minutes < 23 * 60; minutes += 5)
            See(hours: 5.0 / 60);

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void Another_key_in_between_begins_anew()
    {
        for (var probe = 0; probe < 5; probe++)
            See(hours: 4);
        world.Now = world.Now.AddHours(1);
        world.See(A, "old", trusted: true);
        world.Step();
        for (var probe = 0; probe < 5; probe++)
            See(hours: 4);

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void A_clock_that_was_set_begins_anew()
    {
        for (var probe = 0; probe < 6; probe++)
            See(hours: 4);
        world.ClockSetAt = world.Now.AddMinutes(1);
        See(hours: 4);
        for (var probe = 0; probe < 5; probe++)
            See(hours: 4);
        Assert.Equal(PinState.Candidate, world.StateOf("new"));

        See(hours: 4);
        Assert.Equal(PinState.Active, world.StateOf("new"));
    }

    [Fact]
    public void An_address_that_showed_another_key_and_cannot_be_reached_now_still_says_no()
    {
        world.Server(B);
        for (var probe = 0; probe < 3; probe++)
        {
            world.See(B, "old", trusted: true);
            See(hours: 4);
        }

        for (var probe = 0; probe < 5; probe++)
        {
            world.Fail(B, ProbeOutcome.Timeout);
            See(hours: 4);
        }

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void What_an_earlier_version_stored_says_nothing_of_gaps_and_begins_anew()
    {
        var run = CertificateRun.Begin(KeyAlgorithm.Ecdsa, RotationScenario.Certificate("new"), world.Now, trusted: true) with { TrustedAt = [] };

        Assert.Equal([world.Now.AddHours(4)], run.Continue(world.Now.AddHours(4), trusted: true).TrustedAt);
    }

    [Fact]
    public void The_times_of_a_run_are_bounded_and_never_hide_a_gap()
    {
        var random = new Random(7);
        var at = world.Now;
        var run = CertificateRun.Begin(KeyAlgorithm.Ecdsa, RotationScenario.Certificate("new"), at, trusted: true);
        var all = new List<DateTimeOffset> { at };
        for (var probe = 0; probe < 20_000; probe++)
        {
            at = at.AddMinutes(random.Next(100) == 0 ? random.Next(600) : 5);
            run = run.Continue(at, trusted: true);
            all.Add(at);
        }

        Assert.InRange(run.TrustedAt.Length, 2, 96);
        Assert.Equal(at, run.TrustedAt[^1]);
        for (var i = 1; i < run.TrustedAt.Length; i++)
        {
            var (from, to) = (run.TrustedAt[i - 1], run.TrustedAt[i]);
            var within = all.Where(one => one >= from && one <= to).ToList();
            var longest = within.Zip(within.Skip(1), (one, next) => next - one).Max();
            Assert.True(to - from >= longest);
            Assert.True(to - from <= longest || to - from <= (at - to) / 4, $"{to - from} at the age of {at - to}");
        }
    }

    private void See(double hours)
    {
        world.Now = world.Now.AddHours(hours);
        world.See(A, "new", trusted: true);
        world.Step();
    }
}
