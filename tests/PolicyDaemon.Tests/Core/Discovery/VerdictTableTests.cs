using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

/// <summary>Each row of the truth table, from recorded DNS answers to the answer that Postfix gets, at every level.</summary>
public sealed class VerdictTableTests
{
    private const DiscoveredAnswer NotFound = DiscoveredAnswer.NotFound;
    private const DiscoveredAnswer Dane = DiscoveredAnswer.Dane;
    private const DiscoveredAnswer DaneOnly = DiscoveredAnswer.DaneOnly;
    private const DiscoveredAnswer Secure = DiscoveredAnswer.Secure;

    [Theory]
    [InlineData("S", "T10")]
    [InlineData("S", "T10 T10 T20")]
    [InlineData("S", "T10 X10 x20")] // hosts without an address are no path
    [InlineData("S", "t10 A10 a20 d20 f30 g30 h40")]
    [InlineData("0", "T0")]
    [InlineData("w", "T0")] // Postfix goes by the address where there is no MX record
    public void Row_1_every_host_has_usable_TLSA(string mx, string hosts) => Row(mx, hosts, DiscoveryRow.AllDane, DaneOnly, DaneOnly, DaneOnly);

    [Fact]
    public void Row_1_a_host_outside_of_the_policy_is_a_note_and_DANE_decides_all_the_same()
    {
        var scenario = DiscoveryScenario.Of("S", "T10 T20");
        scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx1.example.com\n");

        var verdict = scenario.Use();

        Assert.Equal((DiscoveryRow.AllDane, DaneOnly), (verdict.Row, verdict.Answer));
        var remark = Assert.Single(verdict.Remarks);
        Assert.Equal((DiscoveryRemarkKind.MxOutsidePolicy, FindingSeverity.ForInformation), (remark.Kind, remark.Severity));
        Assert.Contains("mx2.example.com", remark.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("mx1.example.com", remark.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("S", "N10")]
    [InlineData("S", "I10 N10 n20 b30")]
    [InlineData("S", "I10 X5")]
    [InlineData("0", "N0")]
    [InlineData("0", "I0")]
    [InlineData("w", "I0")]
    public void Row_2_no_host_has_TLSA(string mx, string hosts) => Row(mx, hosts, DiscoveryRow.NoDane, NotFound, NotFound, Secure);

    [Theory]
    [InlineData("T10 N20")]
    [InlineData("T10 T10 I20 U20")]
    [InlineData("X5 T10 N20")] // the best host that has an address
    public void Row_3_the_best_hosts_have_usable_TLSA_and_others_not(string hosts) =>
        Row("S", hosts, DiscoveryRow.BestDane, Dane, DaneOnly, DaneOnly, DiscoveryRemarkKind.PartialDane);

    [Theory]
    [InlineData("N10 T20")]
    [InlineData("T10 N10")]
    [InlineData("T10 U10 I20")]
    [InlineData("I5 T10 T10")]
    public void Row_4_some_hosts_have_TLSA_and_not_all_of_the_best(string hosts) =>
        Row("S", hosts, DiscoveryRow.SomeDane, Dane, NotFound, Secure, DiscoveryRemarkKind.PartialDane);

    [Theory]
    [InlineData("S", "U10")]
    [InlineData("S", "U10 u20 N20 I30")]
    [InlineData("S", "N10 U20")]
    [InlineData("0", "u0")]
    public void Row_5_no_TLSA_record_is_usable(string mx, string hosts) =>
        Row(mx, hosts, DiscoveryRow.UnusableDane, Dane, NotFound, Secure, DiscoveryRemarkKind.UnusableTlsa);

    [Theory]
    [InlineData("S", "E10")]
    [InlineData("S", "T10 e20")]
    [InlineData("S", "c10 N20")] // the CNAME lookup of an alias
    [InlineData("0", "E0")]
    public void Row_6_a_TLSA_lookup_fails_among_the_best(string mx, string hosts) =>
        Row(mx, hosts, DiscoveryRow.FailedDane, Dane, DaneOnly, DaneOnly, DiscoveryRemarkKind.TlsaLookupFailed);

    [Theory]
    [InlineData("N10 E20")]
    [InlineData("E10 N10")]
    [InlineData("U10 E20")]
    public void Row_6_a_TLSA_lookup_fails_and_not_all_of_the_best_have_DANE(string hosts) =>
        Row("S", hosts, DiscoveryRow.FailedDane, Dane, NotFound, DaneOnly, DiscoveryRemarkKind.TlsaLookupFailed);

    [Fact]
    public void Row_6_names_the_host_and_what_went_wrong()
    {
        var remark = Assert.Single(DiscoveryScenario.Of("S", "T10 E20").Use().Remarks);

        Assert.Contains("mx2.example.com", remark.Detail, StringComparison.Ordinal);
        Assert.Contains("SERVFAIL", remark.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("T10")]
    [InlineData("I10 U20")]
    [InlineData("E10 N10")]
    [InlineData("a10")]
    public void Row_7_unsigned_MX_records_lead_to_hosts_with_TLSA(string hosts) => Row("W", hosts, DiscoveryRow.UnsignedMxWithDane, Dane, NotFound, Secure);

    [Fact]
    public void Row_7_says_that_the_MX_records_are_unsigned() =>
        Assert.Equal(DiscoveryRemarkKind.MxUnsigned, Assert.Single(DiscoveryScenario.Of("W", "T10").Use().Remarks).Kind);

    [Theory]
    [InlineData("N10")]
    [InlineData("I10 n20 b20 X30")]
    public void Row_8_unsigned_MX_records_and_no_TLSA(string hosts) => Row("W", hosts, DiscoveryRow.UnsignedMx, NotFound, NotFound, Secure);

    [Theory]
    [InlineData("F")]
    [InlineData("B")]
    public void Row_9_the_MX_lookup_fails_and_nothing_is_known(string mx)
    {
        RowUnknown(mx, "", DiscoveryRow.MxFailed, DiscoveryRemarkKind.MxLookupFailed);
        Assert.True(DiscoveryScenario.Of(mx, "").Use().IsUnknown);
        Assert.False(DiscoveryScenario.Of(mx, "", enforce: true).Use().IsUnknown);
    }

    [Theory]
    [InlineData("S", "T10", false, DaneOnly, DiscoveryRow.AllDane)]
    [InlineData("S", "T10 N20", false, Dane, DiscoveryRow.BestDane)]
    [InlineData("S", "N10", false, NotFound, DiscoveryRow.NoDane)]
    [InlineData("W", "I10", false, NotFound, DiscoveryRow.UnsignedMx)]
    [InlineData("S", "T10", true, DaneOnly, DiscoveryRow.AllDane)]
    [InlineData("S", "T10 N20", true, DaneOnly, DiscoveryRow.BestDane)]
    [InlineData("W", "I10", true, Secure, DiscoveryRow.UnsignedMx)]
    public void Row_9_the_MX_lookup_fails_and_the_last_verdict_is_kept(string mx, string hosts, bool enforce, DiscoveredAnswer kept, DiscoveryRow last)
    {
        var scenario = DiscoveryScenario.Of(mx, hosts, enforce);
        scenario.Use();
        scenario.Mx("F", "");

        var verdict = scenario.UseAfter(TimeSpan.FromHours(2));

        Assert.Equal((DiscoveryRow.MxFailed, kept, last), (verdict.Row, verdict.Answer, verdict.LastRow));
        Assert.False(verdict.IsUnknown);
        Assert.Contains(verdict.Remarks, remark => remark.Kind == DiscoveryRemarkKind.MxLookupFailed);
    }

    [Fact]
    public void Row_9_a_policy_that_came_into_force_counts_beside_the_last_facts()
    {
        var scenario = DiscoveryScenario.Of("S", "N10 T20");
        Assert.Equal(Dane, scenario.Use().Answer);
        scenario.Mx("F", "");
        scenario.Publish(DiscoveryScenario.Enforce);

        Assert.Equal(Secure, scenario.UseAfter(TimeSpan.FromHours(2)).Answer);
    }

    [Fact]
    public void Row_9_what_could_be_seen_while_less_failed_is_kept_too()
    {
        var scenario = DiscoveryScenario.Of("S", "N10");
        scenario.Settings = DiscoveryScenario.At(TlsLevel.Encrypt);
        Assert.Equal(NotFound, scenario.Use().Answer);
        scenario.Mx("S", "E10");
        Assert.Equal(DaneOnly, scenario.UseAfter(TimeSpan.FromHours(2)).Answer);
        scenario.Mx("F", "");

        Assert.Equal((DaneOnly, DiscoveryRow.FailedDane), (scenario.UseAfter(TimeSpan.FromHours(2)).Answer, scenario.Judge().LastRow));
    }

    [Fact]
    public void Row_9_after_24_hours_of_failures_nothing_is_known_any_more()
    {
        var scenario = DiscoveryScenario.Of("S", "T10");
        scenario.Use();
        scenario.Mx("F", "");
        Assert.Equal(DaneOnly, scenario.UseAfter(TimeSpan.FromDays(30)).Answer); // unused for a month, it still holds when it fails for the first time
        Assert.Equal(scenario.Now + TimeSpan.FromHours(24), scenario.Judge().ValidUntil);
        Assert.Equal(DaneOnly, scenario.UseAfter(TimeSpan.FromHours(24) - TimeSpan.FromTicks(1)).Answer);

        var verdict = scenario.UseAfter(TimeSpan.FromTicks(1));

        Assert.Equal((DiscoveryRow.MxFailed, Dane, true, null), (verdict.Row, verdict.Answer, verdict.IsUnknown, verdict.LastRow));
    }

    [Theory]
    [InlineData("D")]
    [InlineData("Z")]
    [InlineData("z")]
    public void Row_10_no_such_domain_or_a_null_MX(string mx) =>
        Row(mx, "", DiscoveryRow.NoMail, NotFound, NotFound, NotFound, DiscoveryRemarkKind.NoMail);

    [Theory]
    [InlineData("S", "X10 X20")]
    [InlineData("W", "X10")]
    [InlineData("0", "X0")]
    [InlineData("S", "")]
    public void Row_11_no_MX_host_has_an_address(string mx, string hosts)
    {
        Row(mx, hosts, DiscoveryRow.NoAddress, NotFound, NotFound, Secure, DiscoveryRemarkKind.NoAddress);
    }

    [Theory]
    [InlineData("S", "x10")]
    [InlineData("W", "X10 x20")]
    [InlineData("0", "x0")]
    public void Row_11_the_addresses_cannot_be_looked_up_and_nothing_is_known(string mx, string hosts) =>
        RowUnknown(mx, hosts, DiscoveryRow.NoAddress, DiscoveryRemarkKind.NoAddress);

    [Theory]
    [InlineData("T10", false, DaneOnly)]
    [InlineData("T10", true, DaneOnly)]
    [InlineData("N10", false, NotFound)]
    [InlineData("N10", true, Secure)]
    public void Row_11_the_addresses_cannot_be_looked_up_and_the_last_verdict_is_kept(string hosts, bool enforce, DiscoveredAnswer kept)
    {
        var scenario = DiscoveryScenario.Of("S", hosts, enforce);
        scenario.Use();
        scenario.Mx("S", "x10");

        var verdict = scenario.UseAfter(TimeSpan.FromHours(2));

        Assert.Equal((DiscoveryRow.NoAddress, kept), (verdict.Row, verdict.Answer));
    }

    [Theory]
    [InlineData("S", "L10", DiscoveryRow.NoDane, NotFound, NotFound, Secure)]
    [InlineData("W", "L10", DiscoveryRow.UnsignedMx, NotFound, NotFound, Secure)]
    [InlineData("S", "T10 L20", DiscoveryRow.BestDane, Dane, DaneOnly, DaneOnly)]
    public void Row_12_an_MX_record_that_names_an_address_is_an_insecure_host(
        string mx, string hosts, DiscoveryRow row, DiscoveredAnswer plain, DiscoveredAnswer strict, DiscoveredAnswer enforce)
    {
        var scenario = DiscoveryScenario.Of(mx, hosts);
        Assert.Equal((row, plain), (scenario.Use().Row, scenario.Use().Answer));
        Assert.Contains(scenario.Use().Remarks, remark => remark.Kind == DiscoveryRemarkKind.MxIsAddress && remark.Detail.Contains("192.0.2.", StringComparison.Ordinal));
        scenario.Settings = DiscoveryScenario.At(TlsLevel.Encrypt);
        Assert.Equal(strict, scenario.Use().Answer);
        Assert.Equal(enforce, DiscoveryScenario.Of(mx, hosts, enforce: true).Use().Answer);
    }

    [Fact]
    public void Row_12_an_address_matches_no_pattern()
    {
        var verdict = DiscoveryScenario.Of("W", "L10", enforce: true).Use();

        Assert.Equal((DiscoveryRow.PolicyCoversNone, Secure), (verdict.Row, verdict.Answer));
    }

    [Theory]
    [InlineData(true, DiscoveryRow.AllDane, DaneOnly)]
    [InlineData(false, DiscoveryRow.UnsignedMxWithDane, Dane)]
    public void Row_13_an_alias_of_the_domain_is_followed_and_an_insecure_one_makes_the_MX_unsigned(bool secure, DiscoveryRow row, DiscoveredAnswer answer)
    {
        var scenario = DiscoveryScenario.Of("S", "T10");
        scenario.Set(new DnsAnswer
        {
            Name = "example.com",
            Type = DnsType.Mx,
            Kind = DnsAnswerKind.Records,
            CanonicalName = "example.net",
            Data = ["10 mx1.example.com"],
            AuthenticData = secure,
            Security = secure ? PolicyDaemon.Core.Observations.DnssecStatus.Secure : PolicyDaemon.Core.Observations.DnssecStatus.Insecure,
            Ttl = TimeSpan.FromMinutes(10),
            Resolver = null,
            At = scenario.Now,
            Detail = null,
        });
        Assert.Equal((row, answer), (scenario.Use().Row, scenario.Use().Answer));

        scenario.Publish(DiscoveryScenario.Enforce);
        scenario.UseAfter(TimeSpan.FromHours(2));
        Assert.Contains(scenario.Last!.Answers, asked => asked.Name == "_mta-sts.example.com"); // the policy domain stays the name asked
    }

    [Theory]
    [InlineData("W", "I10 I20")]
    [InlineData("S", "N10")]
    [InlineData("0", "I0")]
    public void Row_14_a_policy_that_covers_none_of_the_MX_hosts_is_kept_to_all_the_same(string mx, string hosts)
    {
        var scenario = DiscoveryScenario.Of(mx, hosts);
        scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx.example.net\n");

        var verdict = scenario.Use();

        Assert.Equal((DiscoveryRow.PolicyCoversNone, Secure), (verdict.Row, verdict.Answer));
        var remark = Assert.Single(verdict.Remarks);
        Assert.Equal((DiscoveryRemarkKind.PolicyCoversNone, FindingSeverity.MailWaits), (remark.Kind, remark.Severity));
        Assert.Contains("names mx.example.net, its MX hosts are ", remark.Detail, StringComparison.Ordinal);
        Assert.Contains("2026-11-23T12:05:00Z", remark.Detail, StringComparison.Ordinal); // the next fetch
        Assert.Contains("policyctl domain add example.com --level default --until 7d --reason", remark.Detail, StringComparison.Ordinal);
        Assert.Equal("policyctl check example.com", remark.Remedy); // which weakens nothing
    }

    [Theory]
    [InlineData('T', DaneOnly)]
    [InlineData('N', NotFound)]
    [InlineData('I', NotFound)]
    [InlineData('U', NotFound)]
    public void A_host_named_by_the_key_is_judged_by_its_DANE_alone(char kind, DiscoveredAnswer answer)
    {
        foreach (var key in new[] { "[mx1.example.com]", "[mx1.example.com]:587" })
        {
            var scenario = new DiscoveryScenario { Key = NextHop.Parse(key) };
            scenario.Host("mx1.example.com", kind);
            scenario.Publish(DiscoveryScenario.Enforce);
            var verdict = scenario.Use();
            Assert.Equal((DiscoveryRow.GivenHost, answer), (verdict.Row, verdict.Answer));
            Assert.Equal(0, scenario.Fetches);
        }
    }

    [Theory]
    [InlineData('E')]
    [InlineData('x')]
    public void A_host_named_by_the_key_whose_lookup_fails_is_left_to_Postfix_or_to_the_last_verdict(char kind)
    {
        var scenario = new DiscoveryScenario { Key = NextHop.Parse("[mx1.example.com]") };
        scenario.Host("mx1.example.com", kind);
        Assert.Equal((Dane, true), (scenario.Use().Answer, scenario.Use().IsUnknown));

        scenario = new DiscoveryScenario { Key = NextHop.Parse("[mx1.example.com]") };
        scenario.Host("mx1.example.com", 'T');
        scenario.Use();
        scenario.Host("mx1.example.com", kind);
        Assert.Equal(DaneOnly, scenario.UseAfter(TimeSpan.FromHours(2)).Answer);
    }

    [Fact]
    public void A_port_of_its_own_has_its_own_TLSA_records()
    {
        var scenario = new DiscoveryScenario { Key = NextHop.Parse("example.com:587") };
        scenario.Mx("S", "T10");

        Assert.Equal(DaneOnly, scenario.Use().Answer);
        Assert.Contains(scenario.Last!.Answers, answer => answer.Name == "_587._tcp.mx1.example.com");
        Assert.DoesNotContain(scenario.Last.Answers, answer => answer.Name == "_25._tcp.mx1.example.com");
    }

    [Theory]
    [InlineData("S", "T10", false)]
    [InlineData("S", "N10", false)]
    [InlineData("W", "I10", false)]
    [InlineData("W", "I10", true)]
    [InlineData("S", "T10", true)]
    public void A_resolver_that_nobody_vouches_for_decides_nothing_by_DNSSEC(string mx, string hosts, bool enforce)
    {
        foreach (var level in Enum.GetValues<TlsLevel>())
        {
            var scenario = DiscoveryScenario.Of(mx, hosts, enforce);
            (scenario.IsVouched, scenario.Settings) = (false, DiscoveryScenario.At(level));
            var verdict = scenario.Use();
            Assert.Equal(DiscoveryRow.NotVouched, verdict.Row);
            Assert.Equal(enforce ? AtLeast(level, Secure) : level is TlsLevel.None or TlsLevel.May ? Dane : NotFound, verdict.Answer);
        }
    }

    [Fact]
    public void A_resolver_that_fails_its_self_test_leaves_the_last_verdict_for_24_hours()
    {
        var scenario = DiscoveryScenario.Of("S", "T10");
        scenario.Use();
        scenario.IsVouched = false;

        var verdict = scenario.UseAfter(TimeSpan.FromHours(2));
        Assert.Equal((DiscoveryRow.NotVouched, DaneOnly, DiscoveryRow.AllDane), (verdict.Row, verdict.Answer, verdict.LastRow));
        Assert.Equal(Dane, scenario.UseAfter(TimeSpan.FromHours(24)).Answer);
        scenario.IsVouched = true;
        Assert.Equal(DiscoveryRow.AllDane, scenario.UseAfter(TimeSpan.FromMinutes(5)).Row);
    }

    [Theory]
    [InlineData("S", "T10", NotFound, Secure)]
    [InlineData("S", "E10", NotFound, Secure)]
    [InlineData("W", "T10", NotFound, Secure)]
    [InlineData("F", "", NotFound, Secure)]
    public void Without_DANE_policies_alone_decide_and_no_answer_speaks_of_it(string mx, string hosts, DiscoveredAnswer without, DiscoveredAnswer with)
    {
        foreach (var (enforce, vouched) in new[] { (false, true), (true, true), (false, false), (true, false) })
        {
            var scenario = DiscoveryScenario.Of(mx, hosts, enforce);
            (scenario.Settings, scenario.IsVouched) = (DiscoveryScenario.At(TlsLevel.May, dane: false), vouched);
            Assert.Equal(enforce ? with : without, scenario.Use().Answer);
        }
    }

    [Fact]
    public void Without_MTA_STS_no_record_is_asked_for_and_a_policy_that_is_remembered_does_not_count()
    {
        var scenario = DiscoveryScenario.Of("W", "I10", enforce: true);
        Assert.Equal(Secure, scenario.Use().Answer);

        scenario.Settings = DiscoveryScenario.At(TlsLevel.May, sts: false);
        Assert.Equal(NotFound, scenario.UseAfter(TimeSpan.FromHours(2)).Answer);
        Assert.DoesNotContain(scenario.Last!.Answers, answer => answer.Type == DnsType.Txt);
    }

    private static void Row(
        string mx, string hosts, DiscoveryRow row, DiscoveredAnswer plain, DiscoveredAnswer strict, DiscoveredAnswer enforce, DiscoveryRemarkKind? remark = null)
    {
        foreach (var level in Enum.GetValues<TlsLevel>())
        {
            var scenario = DiscoveryScenario.Of(mx, hosts);
            scenario.Settings = DiscoveryScenario.At(level);
            var verdict = scenario.Use();
            Assert.Equal((level, row, level is TlsLevel.None or TlsLevel.May or TlsLevel.Dane ? plain : strict), (level, verdict.Row, verdict.Answer));
            Assert.False(verdict.IsUnknown);
            if (remark is { } kind)
                Assert.Equal(kind, Assert.Single(verdict.Remarks).Kind);

            scenario = DiscoveryScenario.Of(mx, hosts, enforce: true);
            scenario.Settings = DiscoveryScenario.At(level);
            verdict = scenario.Use();
            Assert.Equal((level, row, AtLeast(level, enforce)), (level, verdict.Row, verdict.Answer));
        }
    }

    private static void RowUnknown(string mx, string hosts, DiscoveryRow row, DiscoveryRemarkKind remark)
    {
        foreach (var level in Enum.GetValues<TlsLevel>())
        {
            var scenario = DiscoveryScenario.Of(mx, hosts);
            scenario.Settings = DiscoveryScenario.At(level);
            var verdict = scenario.Use();
            Assert.Equal((level, row, level is TlsLevel.None or TlsLevel.May ? Dane : NotFound), (level, verdict.Row, verdict.Answer));
            Assert.Equal(remark, Assert.Single(verdict.Remarks).Kind);

            scenario = DiscoveryScenario.Of(mx, hosts, enforce: true);
            scenario.Settings = DiscoveryScenario.At(level);
            Assert.Equal(AtLeast(level, Secure), scenario.Use().Answer);
        }
    }

    // What is not found at dane-only is delivered by DANE or not at all, which secure is less than.
    private static DiscoveredAnswer AtLeast(TlsLevel level, DiscoveredAnswer answer) => level == TlsLevel.DaneOnly && answer == Secure ? NotFound : answer;
}
