using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

public sealed class DiscoveryAgesTests
{
    [Theory]
    [InlineData("T10", false, 0, 60)]
    [InlineData("T10", false, 59, 60)]
    [InlineData("T10", false, 600, 600)]
    [InlineData("T10", false, 86_400, 3600)]
    [InlineData("T10 N20", false, 90, 90)]
    [InlineData("N10", false, 0, 300)]
    [InlineData("N10", false, 600, 600)]
    [InlineData("N10", false, 86_400, 3600)]
    [InlineData("N10", true, 0, 60)]
    [InlineData("N10", true, 86_400, 300)]
    [InlineData("X10", false, 86_400, 3600)]
    public void What_DNS_said_is_fresh_for_the_least_TTL_within_bounds(string hosts, bool enforce, int ttl, int seconds)
    {
        var scenario = DiscoveryScenario.Of("S", hosts, enforce);
        scenario.Ttl = ttl;
        scenario.Use();

        Assert.Equal(scenario.Now + TimeSpan.FromSeconds(seconds), scenario.Memory.FactsDue);
        Assert.False(scenario.Memory.IsDue(scenario.Settings, scenario.Memory.FactsDue - TimeSpan.FromTicks(1)));
        Assert.True(scenario.Memory.IsDue(scenario.Settings, scenario.Memory.FactsDue));
    }

    [Theory]
    [InlineData("F", "")]
    [InlineData("S", "E10")]
    [InlineData("S", "x10")]
    [InlineData("S", "T10 x20")]
    public void A_failure_is_tried_again_after_30_seconds_doubling_to_5_minutes(string mx, string hosts)
    {
        var scenario = DiscoveryScenario.Of(mx, hosts);
        var waits = new List<double>();
        for (var attempt = 0; attempt < 40; attempt++)
        {
            scenario.Use();
            waits.Add((scenario.Memory.FactsDue - scenario.Now).TotalSeconds);
            scenario.Now = scenario.Memory.FactsDue;
        }

        Assert.Equal([30, 60, 120, 240, 300, 300], waits.Take(6));
        Assert.All(waits.Skip(4), wait => Assert.Equal(300, wait));
        scenario.Mx("S", "T10");
        scenario.Use();
        Assert.Equal((0, null, null), (scenario.Memory.Failures, scenario.Memory.FailingSince, scenario.Memory.Failing));
        Assert.Equal(scenario.Now + TimeSpan.FromSeconds(600), scenario.Memory.FactsDue);
    }

    [Fact]
    public void Without_anybody_to_vouch_for_DNSSEC_it_is_discovered_again_after_five_minutes()
    {
        var scenario = DiscoveryScenario.Of("S", "T10");
        (scenario.IsVouched, scenario.Ttl) = (false, 86_400);
        scenario.Use();
        Assert.Equal(scenario.Now + TimeSpan.FromMinutes(5), scenario.Memory.FactsDue);

        // That has nothing to do with DNSSEC where DANE is switched off.
        scenario = DiscoveryScenario.Of("S", "T10");
        (scenario.IsVouched, scenario.Ttl, scenario.Settings) = (false, 86_400, DiscoveryScenario.At(TlsLevel.May, dane: false));
        scenario.Use();
        Assert.Equal((scenario.Now + TimeSpan.FromHours(1), null), (scenario.Memory.FactsDue, scenario.Memory.Failing));
    }

    [Fact]
    public void A_verdict_that_nobody_used_for_a_year_is_served_while_its_renewal_runs()
    {
        var scenario = DiscoveryScenario.Of("S", "T10");
        scenario.Use();
        scenario.Now += TimeSpan.FromDays(365);

        Assert.Equal(DiscoveredAnswer.DaneOnly, scenario.Judge().Answer);
        Assert.True(scenario.Memory.IsDue(scenario.Settings, scenario.Now));
    }

    [Fact]
    public void A_domain_never_seen_has_no_verdict_and_is_due()
    {
        var memory = Discovered.Unseen(PolicyDaemon.Core.Destinations.NextHop.Parse("example.com"));

        Assert.Null(DiscoveryVerdict.Of(memory, DiscoverySettings.Default, PolicyDaemon.Tests.Support.TestCertificates.Now));
        Assert.True(memory.IsDue(DiscoverySettings.Default, PolicyDaemon.Tests.Support.TestCertificates.Now));
        Assert.False(memory.IsKnown);
    }

    [Fact]
    public void What_a_clock_that_was_ahead_has_put_off_is_due_now()
    {
        var scenario = DiscoveryScenario.Of("W", "I10", enforce: true);
        scenario.Now += TimeSpan.FromDays(3650);
        scenario.Use();
        var (answers, fetches) = (scenario.Last, scenario.Fetches);

        scenario.UseAfter(TimeSpan.FromDays(-3650));

        Assert.NotEqual(answers, scenario.Last);
        Assert.Equal(fetches + 1, scenario.Fetches);
        Assert.Equal(scenario.Now + TimeSpan.FromDays(7), scenario.Judge().Policy!.Expires);
        Assert.False(scenario.Memory.IsDue(scenario.Settings, scenario.Now));
    }

    [Fact]
    public void A_change_of_Postfixs_level_holds_at_once_for_what_is_remembered()
    {
        var scenario = DiscoveryScenario.Of("S", "T10 N20");
        Assert.Equal(DiscoveredAnswer.Dane, scenario.Use().Answer);

        scenario.Settings = DiscoveryScenario.At(TlsLevel.Encrypt);
        Assert.Equal(DiscoveredAnswer.DaneOnly, scenario.Judge().Answer);
    }
}
