using System.Net;
using PolicyDaemon.Core.Probing;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Tests.Core.Pins.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Scheduling;

public sealed class TimetableTests
{
    // The certificates of the scenario live from 2026 to 2029.
    private static readonly DateTimeOffset Young = new(2026, 8, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Old = new(2028, 9, 3, 0, 0, 0, TimeSpan.Zero);
    private static readonly ScheduleOptions Options = new();

    [Fact]
    public void A_day_by_default_with_a_tenth_of_jitter()
    {
        var pauses = Enumerable.Range(0, 1000)
            .Select(i => (Timetable.NextDue($"d{i}.example", Young, [Seen(Young)], false, true, Options) - Young).TotalHours)
            .ToList();

        Assert.All(pauses, hours => Assert.InRange(hours, 21.6, 26.4));
        Assert.True(pauses.Max() - pauses.Min() > 4, "no spread");
        Assert.InRange(pauses.Average(), 23.8, 24.2);
    }

    [Fact]
    public void The_same_memory_gives_the_same_time()
    {
        Assert.Equal(
            Timetable.NextDue("d.example", Young, [Seen(Young)], false, true, Options),
            Timetable.NextDue("d.example", Young, [Seen(Young)], false, true, Options));
    }

    [Fact]
    public void Hourly_from_two_thirds_of_the_certificates_life()
    {
        Assert.InRange(Pause(Old, false, true, Seen(Old)), 0.9, 1.1);
    }

    [Fact]
    public void Every_four_hours_while_a_candidate_waits()
    {
        Assert.InRange(Pause(Young, true, true, Seen(Young)), 3.6, 4.4);
    }

    [Fact]
    public void Soon_after_a_failed_lookup_of_our_own()
    {
        Assert.InRange(Pause(Young, false, false), 0.22, 0.28);
    }

    [Theory]
    [InlineData(1, 0.25)]
    [InlineData(2, 0.5)]
    [InlineData(3, 1)]
    [InlineData(7, 16)]
    [InlineData(8, 24)]
    [InlineData(1000, 24)]
    public void A_failure_is_tried_again_ever_later_up_to_a_day(int failures, double hours)
    {
        Assert.InRange(Pause(Young, false, true, Failed(failures, ProbeOutcome.Timeout)), hours * 0.9, hours * 1.1);
    }

    [Fact]
    public void A_server_that_asks_for_patience_is_held_and_another_failure_is_not()
    {
        Assert.Equal(Young.AddMinutes(30), Timetable.HeldUntil(Failed(2, ProbeOutcome.GreetingTemporary), Options));
        Assert.Null(Timetable.HeldUntil(Failed(2, ProbeOutcome.Timeout), Options));
        Assert.Null(Timetable.HeldUntil(Seen(Young), Options));
    }

    private static double Pause(DateTimeOffset at, bool candidate, bool resolved, params AddressHistory[] histories) =>
        (Timetable.NextDue("d.example", at, histories, candidate, resolved, Options) - at).TotalHours;

    private static AddressHistory Seen(DateTimeOffset at) => History().With(new Observation
    {
        Target = History().Target,
        At = at,
        Outcome = ProbeOutcome.Secured,
        Stage = ProbeStage.Quit,
        Certificates = [new PresentedCertificate(RotationScenario.Certificate("key"), [], ChainVerdict.Trusted, null, "TLSv1.3", "x")],
    });

    private static AddressHistory Failed(int times, ProbeOutcome outcome) =>
        History() with { LastAttempt = Young, LastOutcome = outcome, FailuresInARow = times };

    private static AddressHistory History() => new(new ProbeTarget(IPAddress.Parse("198.51.100.1"), 25));
}
