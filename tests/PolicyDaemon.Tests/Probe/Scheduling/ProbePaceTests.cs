using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Scheduling;

public sealed class ProbePaceTests
{
    [Fact]
    public void A_long_list_is_worked_off_at_the_pace()
    {
        var pace = new ProbePace(200);
        var now = TestCertificates.Now;
        var begun = 0;
        for (var end = now.AddSeconds(10); now < end; now = now.AddMilliseconds(1))
        {
            for (; pace.Allows(now); begun++)
                pace.Begin(now);
        }

        Assert.InRange(begun, 2_000, 2_020);
    }

    [Fact]
    public void Idle_time_is_not_saved_up()
    {
        var pace = new ProbePace(200);
        var now = TestCertificates.Now;
        pace.Begin(now);
        now = now.AddHours(1);
        var begun = 0;
        for (; pace.Allows(now); begun++)
            pace.Begin(now);

        Assert.InRange(begun, 1, 12);
        Assert.True(pace.Next(now) > now);
    }

    [Fact]
    public void A_clock_that_is_set_back_holds_nothing_up()
    {
        var pace = new ProbePace(1);
        pace.Begin(TestCertificates.Now.AddDays(400));

        Assert.True(pace.Allows(TestCertificates.Now));
        pace.Begin(TestCertificates.Now);
        Assert.False(pace.Allows(TestCertificates.Now));
        Assert.True(pace.Allows(TestCertificates.Now.AddSeconds(1)));
    }

    [Fact]
    public void One_probe_a_second_is_not_held_up_for_ever()
    {
        var pace = new ProbePace(1);
        var now = TestCertificates.Now;
        pace.Begin(now);
        Assert.False(pace.Allows(now));
        Assert.True(pace.Allows(now.AddSeconds(1)));
    }
}
