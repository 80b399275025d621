using System.Net;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Tests.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Observations;

public sealed class AddressHistoryTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly ProbeTarget Target = new(IPAddress.Parse("192.0.2.1"), 25);

    private AddressHistory history = new(Target);
    private DateTimeOffset now = Start;

    [Fact]
    public void The_same_certificate_continues_its_run()
    {
        See("one");
        See("one");
        See("one");

        var run = Assert.Single(history.CertificateRuns);
        Assert.Equal((Start.AddHours(1), Start.AddHours(3), 3), (run.First, run.Last, run.Probes));
    }

    [Fact]
    public void Another_certificate_begins_a_run()
    {
        See("one");
        See("two");
        See("one");

        Assert.Equal([1, 1, 1], history.CertificateRuns.Select(run => run.Probes));
    }

    [Fact]
    public void An_inconclusive_probe_leaves_the_runs_and_counts_as_a_failure()
    {
        See("one");
        var before = history.CertificateRuns;
        Observe(ProbeOutcome.Timeout);
        Observe(ProbeOutcome.GreetingTemporary);

        Assert.Equal(before, history.CertificateRuns);
        Assert.Equal((2, ProbeOutcome.GreetingTemporary, false), (history.FailuresInARow, history.LastOutcome, history.IsConclusive));
    }

    [Fact]
    public void A_run_goes_on_after_a_failure()
    {
        See("one");
        Observe(ProbeOutcome.Timeout);
        See("one");

        Assert.Equal(2, Assert.Single(history.CertificateRuns).Probes);
        Assert.Equal(0, history.FailuresInARow);
    }

    [Fact]
    public void An_observation_that_is_not_newer_is_ignored()
    {
        See("one");
        now = Start;
        See("two");

        Assert.Single(history.CertificateRuns);
    }

    [Fact]
    public void What_a_clock_that_was_ahead_recorded_does_not_keep_the_present_out()
    {
        See("one", trusted: true);
        now = Start.AddDays(400);
        See("one", trusted: true);
        See("two", trusted: true);
        now = Start.AddHours(1);
        history = history.AsOf(now.AddHours(1));
        See("three");
        Assert.Equal((Start.AddHours(2), ProbeOutcome.Secured), (history.LastAttempt, history.LastOutcome));
        Assert.Equal(RotationScenario.Certificate("three"), history.Latest(KeyAlgorithm.Ecdsa)!.Certificate);

        var runs = history.CertificateRuns;
        Assert.Equal([(Start.AddHours(1), Start.AddHours(2)), (Start.AddHours(2), Start.AddHours(2))], runs.Take(2).Select(run => (run.First, run.Last)));
        Assert.All(runs, run => Assert.Equal((null, 0), (run.TrustedSince, run.TrustedProbes)));
    }

    [Fact]
    public void Trust_is_counted_from_the_last_probe_without_it()
    {
        See("one", trusted: true);
        See("one", trusted: false);
        See("one", trusted: true);
        See("one", trusted: true);

        var run = Assert.Single(history.CertificateRuns);
        Assert.Equal((Start.AddHours(3), 2, 4), (run.TrustedSince, run.TrustedProbes, run.Probes));
    }

    [Fact]
    public void Starttls_that_was_there_and_is_not_is_lost()
    {
        Observe(ProbeOutcome.StartTlsNotSupported);
        Assert.False(history.LostStartTls);
        See("one");
        Observe(ProbeOutcome.StartTlsNotSupported);
        Assert.True(history.LostStartTls);
        See("one");
        Assert.False(history.LostStartTls);
    }

    [Fact]
    public void An_algorithm_never_seen_leaves_no_run_when_it_is_absent()
    {
        See("one");
        Observe(ProbeOutcome.Secured, absent: KeyAlgorithm.Rsa);

        Assert.Equal([KeyAlgorithm.Ecdsa], history.Algorithms);
    }

    [Fact]
    public void Runs_have_an_end_and_the_oldest_go()
    {
        for (var i = 0; i < 200; i++)
            See($"c{i}");

        Assert.Equal(AddressHistory.MaxRuns, history.CertificateRuns.Length);
        Assert.Equal(RotationScenario.Certificate("c199"), history.Latest(KeyAlgorithm.Ecdsa)!.Certificate);
        Assert.Equal(RotationScenario.Certificate("c136"), history.CertificateRuns[0].Certificate);
    }

    [Theory]
    [InlineData("192.0.2.1:25")]
    [InlineData("[2001:db8::1]:587")]
    [InlineData("192.0.2.1:25/mx.example.com")]
    public void A_target_is_read_back_from_its_name(string id)
    {
        Assert.Equal(id, ProbeTarget.Parse(id).Id);
    }

    [Fact]
    public void An_IPv4_address_in_IPv6_clothes_is_the_IPv4_address()
    {
        Assert.Equal(Target, new ProbeTarget(IPAddress.Parse("::ffff:192.0.2.1"), 25));
    }

    private void See(string name, bool trusted = false) => Observe(ProbeOutcome.Secured, (name, trusted));

    private void Observe(ProbeOutcome outcome, (string Name, bool Trusted)? seen = null, KeyAlgorithm? absent = null)
    {
        now = now.AddHours(1);
        history = history.With(new Observation
        {
            Target = Target,
            At = now,
            Outcome = outcome,
            Stage = ProbeStage.Quit,
            Certificates = seen is not { } one ? [] :
            [
                new PresentedCertificate(
                    RotationScenario.Certificate(one.Name), [], one.Trusted ? ChainVerdict.Trusted : ChainVerdict.NotTrusted, null, "", ""),
            ],
            Absent = absent is { } algorithm ? [algorithm] : [],
        });
    }
}
