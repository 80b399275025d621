using System.Net;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Tests.Core.Rotation;
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
        Assert.Equal(Young.AddMinutes(30), Timetable.HeldUntil(Failed(2, ProbeOutcome.GreetingTemporary), Options, Young));
        Assert.Null(Timetable.HeldUntil(Failed(2, ProbeOutcome.Timeout), Options, Young));
        Assert.Null(Timetable.HeldUntil(Seen(Young), Options, Young));
    }

    [Fact]
    public void An_attempt_in_the_future_is_never_fresh_and_holds_nobody_up()
    {
        var ahead = Seen(Young.AddHours(6));

        Assert.True(Timetable.IsFresh(Seen(Young), Young.AddHours(-1), Young));
        Assert.False(Timetable.IsFresh(ahead, Young.AddHours(-1), Young));
        Assert.Null(Timetable.HeldUntil(Failed(2, ProbeOutcome.GreetingTemporary), Options, Young.AddHours(-6)));
        Assert.Equal(Options.BackOff * 2, Timetable.ScheduledFreshness(Young.AddHours(6), false, Young, Options));
    }

    [Theory]
    [InlineData(1, 1.05)]
    [InlineData(20, 1.35)]
    [InlineData(2000, 1.45)]
    public void Many_destinations_behind_an_address_have_it_probed_daily_as_one_does(int destinations, double mostPerDay)
    {
        const int days = 30;
        var probes = new PriorityQueue<(string Id, DateTimeOffset? Last), DateTimeOffset>();
        for (var i = 0; i < destinations; i++)
            probes.Enqueue(($"d{i}.example", null), Young.AddMinutes(i % 600));
        List<DateTimeOffset> connections = [];
        while (probes.TryDequeue(out var probe, out var now) && now < Young.AddDays(days))
        {
            if (connections.Count == 0 || connections[^1] < now - Timetable.ScheduledFreshness(probe.Last, false, now, Options))
                connections.Add(now);
            probes.Enqueue((probe.Id, now), Timetable.NextDue(probe.Id, now, [Seen(Young)], false, true, Options));
        }

        var pauses = connections.Zip(connections.Skip(1), (one, next) => (next - one).TotalHours).ToList();
        Assert.InRange(pauses.Min(), 17, pauses.Max());
        Assert.InRange(pauses.Max(), pauses.Min(), 26.5);
        Assert.InRange(connections.Count / (double)days, 0.93, mostPerDay);
    }

    [Fact]
    public void What_a_probe_saw_late_does_not_stand_in_for_the_next_one()
    {
        var due = Timetable.NextDue("d.example", Young, [Failed(1, ProbeOutcome.Timeout)], false, true, Options);
        // It waited a minute for its turn at the address and another one for a greeting.
        var seen = Young.AddMinutes(2);

        Assert.True(seen < due - Timetable.ScheduledFreshness(Young, false, due, Options));
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
