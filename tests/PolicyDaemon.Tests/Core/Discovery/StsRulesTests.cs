using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

/// <summary>The states of a domain's MTA-STS, from TXT records and policy texts to the policy in force.</summary>
public sealed class StsRulesTests
{
    private const string Testing = "version: STSv1\nmode: testing\nmax_age: 604800\nmx: *.example.com\n";
    private const string None = "version: STSv1\nmode: none\nmax_age: 604800\n";
    private const string Other = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx1.example.com\n";
    private const string Week = DiscoveryScenario.Enforce;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Theory]
    [InlineData(10, 5 * 60)]
    [InlineData(600, 600)]
    [InlineData(86_400, 3600)]
    public void Without_a_record_there_is_none_for_its_TTL_between_five_minutes_and_an_hour(int ttl, int seconds)
    {
        var scenario = Plain();
        scenario.Ttl = ttl;
        scenario.Announce();

        Assert.Null(scenario.Use().Policy);
        Assert.Equal(0, scenario.Fetches);
        Assert.Equal(scenario.Now + TimeSpan.FromSeconds(seconds), scenario.Memory.Sts.RecordDue);
        Assert.Empty(scenario.Judge().Remarks);
    }

    [Fact]
    public void A_record_that_cannot_be_looked_up_is_asked_for_again_after_five_minutes()
    {
        var scenario = Plain();
        scenario.AnnouncementFails();

        Assert.Null(scenario.Use().Policy);
        Assert.Equal((0, scenario.Now + 5 * Minute), (scenario.Fetches, scenario.Memory.Sts.RecordDue));
    }

    [Fact]
    public void Where_a_policy_was_ever_known_it_is_fetched_though_its_record_cannot_be_looked_up()
    {
        var scenario = Plain();
        scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 3600\nmx: *.example.com\n");
        scenario.Use();
        scenario.AnnouncementFails();

        scenario.UseAfter(2 * Hour);

        Assert.Equal(2, scenario.Fetches);
        Assert.NotNull(scenario.Judge().Policy);
        Assert.Equal(scenario.Now + Hour, scenario.Judge().Policy!.Expires); // to block a TXT record is not enough to let it lapse
    }

    [Theory]
    [InlineData("v=STSv1;")]
    [InlineData("v=STSv1; id=1;;")]
    [InlineData("v=STSv1; id=1|v=STSv1; id=2")]
    public void A_broken_record_is_published_and_broken(string records)
    {
        var scenario = Plain();
        scenario.Ttl = 60;
        scenario.Announce(records.Split('|'));
        scenario.Served = Week;

        Assert.Null(scenario.Use().Policy);
        Assert.Equal((0, scenario.Now + 5 * Minute), (scenario.Fetches, scenario.Memory.Sts.RecordDue));
        Assert.Equal(DiscoveryRemarkKind.RecordBroken, Assert.Single(scenario.Judge().Remarks).Kind);
    }

    [Fact]
    public void A_stray_record_without_a_semicolon_hides_nothing()
    {
        var scenario = Plain();
        scenario.Publish(Week);
        scenario.Announce("v=STSv1", "v=STSv1; id=1;");

        Assert.NotNull(scenario.Use().Policy);
    }

    [Theory]
    [InlineData(StsStatus.FetchError, "sts-policy-fetch-error")]
    [InlineData(StsStatus.WebPkiInvalid, "sts-webpki-invalid")]
    public void A_policy_that_cannot_be_fetched_is_tried_again_after_5_and_15_minutes_and_then_hourly(StsStatus status, string name)
    {
        var scenario = Plain();
        scenario.Announce("v=STSv1; id=1;");
        scenario.FetchFailure = status;
        var due = new List<double>();
        for (var attempt = 0; attempt < 5; attempt++)
        {
            scenario.Now = attempt == 0 ? scenario.Now : scenario.Memory.Sts.FetchDue;
            scenario.Use();
            Assert.Equal(attempt + 1, scenario.Fetches);
            due.Add((scenario.Memory.Sts.FetchDue - scenario.Now).TotalMinutes);
        }

        Assert.Equal([5, 15, 60, 60, 60], due);
        var remark = Assert.Single(scenario.Judge().Remarks);
        Assert.Equal((DiscoveryRemarkKind.PolicyNotFetched, FindingSeverity.ForInformation), (remark.Kind, remark.Severity));
        Assert.Contains($"{name}: no route to host", remark.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_that_is_none_counts_as_not_fetched_and_says_why()
    {
        var scenario = Plain();
        scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 1\n");

        Assert.Null(scenario.Use().Policy);
        Assert.Contains("sts-policy-invalid: the policy has no mx line", Assert.Single(scenario.Judge().Remarks).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_id_is_tried_at_once_though_the_last_attempt_failed()
    {
        var scenario = Plain();
        scenario.Announce("v=STSv1; id=1;");
        scenario.Use();
        scenario.UseAfter(5 * Minute);
        scenario.UseAfter(15 * Minute);
        Assert.Equal((3, scenario.Now + Hour), (scenario.Fetches, scenario.Memory.Sts.FetchDue));
        scenario.Publish(Week, id: "2");
        Assert.Null(scenario.UseAfter(39 * Minute).Policy); // the record is an hour old in a minute

        Assert.Equal("2", scenario.UseAfter(Minute).Policy!.Id);
        Assert.Equal(4, scenario.Fetches);
    }

    [Fact]
    public void Enforce_is_in_force_until_max_age_after_it_was_fetched()
    {
        var scenario = Plain();
        scenario.Publish(Week);

        var policy = scenario.Use().Policy!;

        Assert.Equal((DiscoveredAnswer.Secure, scenario.Now, scenario.Now + 7 * Day), (scenario.Judge().Answer, policy.Fetched, policy.Expires));
        Assert.Equal(policy.Expires, scenario.Judge().ValidUntil);
        Assert.Empty(scenario.Judge().Remarks);
    }

    [Theory]
    [InlineData("0", 300)]
    [InlineData("9999999999", 31_557_600)]
    public void A_max_age_beyond_the_bounds_counts_as_the_bound(string maxAge, int seconds)
    {
        var scenario = Plain();
        scenario.Publish($"version: STSv1\nmode: enforce\nmax_age: {maxAge}\nmx: *.example.com\n");

        Assert.Equal(scenario.Now + TimeSpan.FromSeconds(seconds), scenario.Use().Policy!.Expires);
    }

    [Fact]
    public void A_max_age_below_a_day_is_a_note()
    {
        var scenario = Plain();
        scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 86399\nmx: *.example.com\n");

        Assert.Equal((DiscoveryRemarkKind.PolicyShortLived, FindingSeverity.ForInformation), (scenario.Use().Remarks.Single().Kind, scenario.Judge().Remarks.Single().Severity));
    }

    [Theory]
    [InlineData(Testing)]
    [InlineData(None)]
    public void Testing_and_none_bind_nobody_and_are_kept(string text)
    {
        var scenario = Plain();
        scenario.Publish(text);

        Assert.Equal((null, DiscoveredAnswer.NotFound), (scenario.Use().Policy, scenario.Judge().Answer));
        Assert.Equal(text, scenario.Memory.Sts.Kept!.Text);
        Assert.Empty(scenario.Judge().Remarks);
    }

    [Theory]
    [InlineData(Testing)]
    [InlineData(None)]
    public void A_withdrawal_replaces_what_was_in_force_within_an_hour(string text)
    {
        var scenario = Plain();
        scenario.Publish(Week);
        scenario.Use();
        scenario.Publish(text, id: "2");

        Assert.NotNull(scenario.UseAfter(Hour - Minute).Policy);
        Assert.Null(scenario.UseAfter(Minute).Policy);
        Assert.Equal(DiscoveredAnswer.NotFound, scenario.Judge().Answer);
        Assert.Empty(scenario.Judge().Remarks);
    }

    [Fact]
    public void A_new_id_is_live_within_an_hour_of_use()
    {
        var scenario = Plain();
        scenario.Publish(Week);
        scenario.Use();
        scenario.Publish(Other, id: "2");

        Assert.Equal(["mx1.example.com"], scenario.UseAfter(Hour).Policy!.Policy.MxPatterns);
        Assert.Equal(2, scenario.Fetches);
        scenario.UseAfter(Hour);
        Assert.Equal(2, scenario.Fetches);
    }

    [Theory]
    [InlineData("gone")]
    [InlineData("broken")]
    [InlineData("two")]
    [InlineData("failed")]
    [InlineData("unreachable")]
    [InlineData("invalid")]
    [InlineData("new id, unreachable")]
    [InlineData("new id, invalid")]
    [InlineData("new id, certificate")]
    public void A_policy_in_force_stays_in_force_until_it_expires_whatever_happens(string what)
    {
        var scenario = Plain();
        scenario.Publish(Week);
        scenario.Use();
        var expires = scenario.Judge().Policy!.Expires;
        switch (what)
        {
            case "gone":
                scenario.Announce();
                break;
            case "broken":
                scenario.Announce("v=STSv1; id=");
                break;
            case "two":
                scenario.Announce("v=STSv1; id=1", "v=STSv1; id=2");
                break;
            case "failed":
                scenario.AnnouncementFails();
                break;
            case "new id, unreachable" or "new id, invalid" or "new id, certificate":
                scenario.Announce("v=STSv1; id=2");
                break;
        }

        scenario.FetchFailure = what == "new id, certificate" ? StsStatus.WebPkiInvalid : StsStatus.FetchError;
        scenario.Served = what.Contains("invalid", StringComparison.Ordinal) ? "no policy" : null;
        for (; scenario.Now + Hour < expires; scenario.Now += Hour)
        {
            Assert.Equal((DiscoveredAnswer.Secure, expires), (scenario.Use().Answer, scenario.Judge().Policy!.Expires));
            if (scenario.Now > expires - 5 * Day)
            {
                var remark = Assert.Single(scenario.Judge().Remarks, remark => remark.Kind == DiscoveryRemarkKind.PolicyNotRenewed);
                Assert.Equal(FindingSeverity.LookAtIt, remark.Severity);
                Assert.Contains("ends 2026-11-30T12:00:00Z", remark.Detail, StringComparison.Ordinal);
            }
        }

        Assert.True(scenario.Fetches > 100, $"fetched {scenario.Fetches} times");
        scenario.Now = expires;
        Assert.Equal((DiscoveredAnswer.NotFound, null), (scenario.Judge().Answer, scenario.Judge().Policy)); // at that moment, renewed or not
        Assert.Equal(DiscoveredAnswer.NotFound, scenario.Use().Answer);
        var lapsed = Assert.Single(scenario.Judge().Remarks, remark => remark.Kind == DiscoveryRemarkKind.PolicyLapsed);
        Assert.Equal(FindingSeverity.LookAtIt, lapsed.Severity);
        Assert.DoesNotContain(scenario.UseAfter(7 * Day).Remarks, remark => remark.Kind == DiscoveryRemarkKind.PolicyLapsed);
    }

    [Fact]
    public void The_policy_is_fetched_daily_and_another_body_under_the_same_id_counts()
    {
        var scenario = Plain();
        scenario.Publish(Week);
        scenario.Use();
        scenario.Served = Other;
        for (var hour = 1; hour < 24; hour++)
            Assert.Equal(2, scenario.UseAfter(Hour).Policy!.Policy.MxPatterns.Length);

        Assert.Equal(["mx1.example.com"], scenario.UseAfter(Hour).Policy!.Policy.MxPatterns);

        Assert.Equal(2, scenario.Fetches);
        Assert.Equal(DiscoveryRemarkKind.PolicyChangedSilently, Assert.Single(scenario.Judge().Remarks).Kind);
        scenario.UseAfter(Day);
        Assert.Empty(scenario.Judge().Remarks);
    }

    [Fact]
    public void The_same_body_lives_on_with_each_fetch()
    {
        var scenario = Plain();
        scenario.Publish(Week);
        for (var day = 0; day < 100; day++)
            Assert.Equal(scenario.Now + 8 * Day, scenario.UseAfter(Day).Policy!.Expires);
    }

    [Theory]
    [InlineData(0.8)]
    [InlineData(1.2)]
    public void The_daily_fetch_is_spread(double spread)
    {
        var memory = StsRules.WithFetch(StsMemory.Empty, StsFetch.Served(TestTime, Week), spread);
        Assert.Equal(TestTime + Day * spread, memory.FetchDue);
    }

    [Fact]
    public void A_short_policy_is_fetched_at_half_of_its_life()
    {
        var memory = StsRules.WithFetch(StsMemory.Empty, StsFetch.Served(TestTime, "version: STSv1\nmode: enforce\nmax_age: 3600\nmx: *.example.com\n"), 1);
        Assert.Equal(TestTime.AddMinutes(30), memory.FetchDue);
    }

    [Fact]
    public void A_policy_whose_record_is_gone_is_still_asked_for_and_lives_no_longer_for_that()
    {
        var scenario = Plain();
        scenario.Publish(Week);
        scenario.Use();
        var expires = scenario.Judge().Policy!.Expires;
        scenario.Announce();
        scenario.Served = Other;

        var policy = scenario.UseAfter(2 * Hour).Policy!;

        Assert.Equal((2, Other, expires), (scenario.Fetches, policy.Text, policy.Expires));
        Assert.Equal(DiscoveryRemarkKind.PolicyNotRenewed, Assert.Single(scenario.Judge().Remarks).Kind);
        scenario.Served = None;
        Assert.Null(scenario.UseAfter(Day).Policy);
    }

    [Fact]
    public void A_current_MX_host_outside_of_the_policy_has_it_fetched_at_once_and_every_five_minutes_at_most()
    {
        var scenario = Plain();
        scenario.Ttl = 60;
        scenario.Publish(Other);
        scenario.Use();
        scenario.Mx("W", "I10 I20"); // mx2.example.com is new

        scenario.UseAfter(5 * Minute);
        Assert.Equal(2, scenario.Fetches);
        Assert.Equal(DiscoveryRemarkKind.MxOutsidePolicy, Assert.Single(scenario.Judge().Remarks).Kind);
        scenario.UseAfter(2 * Minute);
        scenario.UseAfter(2 * Minute);
        Assert.Equal(2, scenario.Fetches);
        scenario.Served = Week;
        scenario.UseAfter(Minute);
        Assert.Equal(3, scenario.Fetches);
        Assert.Equal(DiscoveryRemarkKind.PolicyChangedSilently, Assert.Single(scenario.Judge().Remarks).Kind); // covered again
        scenario.UseAfter(30 * Minute);
        Assert.Equal(3, scenario.Fetches);
    }

    [Fact]
    public void A_lost_cover_is_seen_within_five_minutes_however_long_the_MX_records_live()
    {
        var scenario = Plain();
        scenario.Ttl = 86_400;
        scenario.Publish(Other);
        scenario.Use();
        scenario.Mx("W", "I10 I20");

        scenario.UseAfter(5 * Minute);

        Assert.Equal(2, scenario.Fetches);
    }

    [Theory]
    [InlineData("604800", 24, 180, true)]
    [InlineData("604800", 24, 181, false)]
    [InlineData("604800", 23, 10, false)]
    [InlineData("3600", 0.5, 3, true)] // 180 renewals of half an hour
    [InlineData("3600", 0.5, 4, false)]
    public void A_policy_in_force_is_renewed_without_mail_while_it_was_used_within_180_renewals(string maxAge, double hours, int unusedDays, bool due)
    {
        var memory = StsRules.WithFetch(StsMemory.Empty, StsFetch.Served(TestTime, $"version: STSv1\nmode: enforce\nmax_age: {maxAge}\nmx: *.example.com\n"), 1);
        var now = TestTime.AddHours(hours);

        Assert.Equal(due, StsRules.IsRenewalDue(memory, now.AddDays(-unusedDays), now));
        Assert.False(StsRules.IsRenewalDue(memory with { Kept = null }, now, now));
        Assert.False(StsRules.IsRenewalDue(StsRules.WithFetch(memory, StsFetch.Served(TestTime, Testing), 1), now, now.AddDays(2)));
    }

    private static DateTimeOffset TestTime => PolicyDaemon.Tests.Support.TestCertificates.Now;

    private static DiscoveryScenario Plain()
    {
        var scenario = DiscoveryScenario.Of("W", "I10");
        scenario.Announce();
        scenario.Settings = DiscoveryScenario.At(TlsLevel.May);
        return scenario;
    }
}
