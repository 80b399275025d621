using CsCheck;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

/// <summary>What holds of every verdict, over random destinations, failures and levels.</summary>
public sealed class VerdictPropertyTests
{
    private const int Iterations = 10_000;

    private static readonly PostfixSettings Postfix = PostfixSettings.Default with { Version = PostfixVersion.Newest };

    private static readonly Gen<string> Hosts =
        Gen.Select(Gen.Char["XxINnUuTtEeAabcdfghL"], Gen.Int[1, 3], (kind, preference) => $"{kind}{preference}").Array[0, 4].Select(hosts => string.Join(' ', hosts));

    private static readonly Gen<World> Worlds =
        from mx in Gen.Char["SSSSWWWFB0wDZz"]
        from hosts in Hosts
        from policy in Gen.Int[0, 3]
        from level in Gen.Enum<TlsLevel>()
        from dane in Gen.Frequency((4, Gen.Const(true)), (1, Gen.Const(false)))
        from vouched in Gen.Frequency((4, Gen.Const(true)), (1, Gen.Const(false)))
        select new World(mx, hosts, policy, DiscoveryScenario.At(level, dane), vouched);

    [Fact]
    public void No_answer_is_below_Postfixs_level() => Worlds.Sample(world =>
    {
        var verdict = world.Scenario().Use();
        Assert.True(Strength(verdict.Answer, world.Settings) >= Strength(DiscoveredAnswer.NotFound, world.Settings), $"{verdict.Row} {verdict.Answer}");
    }, iter: Iterations);

    [Fact]
    public void Where_Postfix_wants_TLS_nothing_is_answered_dane() => Worlds.Sample(world =>
    {
        if (world.Settings.SecurityLevel is not (TlsLevel.None or TlsLevel.May or TlsLevel.Dane))
            Assert.NotEqual(DiscoveredAnswer.Dane, world.Scenario().Use().Answer);
    }, iter: Iterations);

    [Fact]
    public void A_policy_in_force_is_never_ignored_where_mail_can_go() => Worlds.Sample(world =>
    {
        var verdict = world.Scenario().Use();
        if (verdict.Policy is not null && verdict.Row != DiscoveryRow.NoMail)
            Assert.True(verdict.Answer.Level(world.Settings.SecurityLevel).IsAtLeast(TlsLevel.Secure), $"{verdict.Row} {verdict.Answer}");
    }, iter: Iterations);

    [Fact]
    public void No_answer_is_below_what_main_cf_says() => Worlds.Sample(world =>
    {
        var verdict = world.Scenario().Use();
        Assert.True(verdict.Answer.Level(world.Settings.SecurityLevel).Protection() >= world.Settings.SecurityLevel.Protection(), $"{world.Settings.SecurityLevel} {verdict.Row} {verdict.Answer}");
        Assert.False(world.Settings.SecurityLevel.IsAbove(verdict.Answer.Level(world.Settings.SecurityLevel)), $"{world.Settings.SecurityLevel} {verdict.Row} {verdict.Answer}");
    }, iter: Iterations);

    [Fact]
    public void DANE_alone_is_demanded_only_where_it_can_authenticate_or_a_lookup_fails() => Worlds.Sample(world =>
    {
        var verdict = world.Scenario().Use();
        if (verdict.Answer == DiscoveredAnswer.DaneOnly)
        {
            Assert.True(verdict.Facts is { IsVouched: true, Mx: MxState.Secure or MxState.Implicit });
            Assert.Contains(verdict.Facts.Hosts, host => host.Class is HostClass.Tlsa or HostClass.TlsaFailed);
        }
    }, iter: Iterations);

    [Fact]
    public void A_failure_never_lowers_a_verdict() =>
        Gen.Select(Worlds, Gen.Select(Gen.Int[0, 255], Gen.Int[1, 28_000], Gen.Bool).Array[3]).Sample((world, steps) =>
        {
            // One failure after the other, within a day of the first.
            var scenario = world.Scenario();
            var before = scenario.Use();
            foreach (var (failing, seconds, resolver) in steps)
            {
                Fail(scenario, world, failing, resolver);
                var after = scenario.UseAfter(TimeSpan.FromSeconds(seconds));
                Assert.True(
                    Strength(after.Answer, world.Settings) >= Strength(before.Answer, world.Settings) || before.IsUnknown,
                    $"{before.Row} {before.Answer} -> {after.Row} {after.Answer}");
                before = after;
            }
        }, iter: Iterations);

    [Fact]
    public void A_failure_added_to_what_is_seen_never_makes_the_answer_a_temporary_error() =>
        Gen.Select(Worlds, Gen.Int[0, 255], Gen.Int[0, 1_000_000], Gen.Bool).Sample((world, failing, seconds, resolver) =>
        {
            var scenario = world.Scenario();
            scenario.Use();
            Fail(scenario, world, failing, resolver);
            var verdict = scenario.UseAfter(TimeSpan.FromSeconds(seconds));
            foreach (var map in Enum.GetValues<MapName>())
                Assert.NotEqual(LookupAnswerKind.Temporary, DiscoveredReply.Answer(verdict, Postfix, map, null, out _).Kind);
        }, iter: Iterations);

    [Fact]
    public void The_same_evidence_gives_the_same_verdict_after_it_was_written_down() =>
        Gen.Select(Worlds, Gen.Int[0, 255], Gen.Bool).Sample((world, failing, resolver) =>
        {
            var scenario = world.Scenario();
            scenario.Use();
            Fail(scenario, world, failing, resolver);
            var verdict = scenario.UseAfter(TimeSpan.FromHours(2));

            Assert.True(DiscoveryJson.TryRead(DiscoveryJson.Write(scenario.Last!), out var read, out var reason), reason);

            var again = DiscoveryVerdict.Of(DiscoveryDecision.Of(read, spread: 1), read.Conditions, read.At)!;
            Assert.Equal((verdict.Answer, verdict.Row, verdict.LastRow, verdict.IsUnknown, verdict.Policy), (again.Answer, again.Row, again.LastRow, again.IsUnknown, again.Policy));
            Assert.Equal(verdict.Facts, again.Facts);
            Assert.Equal<IEnumerable<DiscoveryRemark>>(verdict.Remarks, again.Remarks);
        }, iter: 2_000);

    [Fact]
    public void No_remedy_lowers_anything() => Worlds.Sample(world =>
        Assert.All(world.Scenario().Use().Remarks, remark => Assert.True(remark.Remedy is null || remark.Remedy.StartsWith("policyctl check ", StringComparison.Ordinal))), iter: 2_000);

    private static void Fail(DiscoveryScenario scenario, World world, int failing, bool resolver)
    {
        if ((failing & 1) != 0)
            scenario.Mx("F", "");
        var hosts = world.Hosts.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (var index = 0; index < hosts.Length; index++)
        {
            var name = world.Mx is '0' or 'w' ? "example.com" : $"mx{index + 1}.example.com";
            if ((failing >> (1 + index) & 1) != 0)
                scenario.Host(name, index % 2 == 0 ? 'x' : 'E');
        }

        if ((failing & 32) != 0)
            scenario.AnnouncementFails();
        if ((failing & 64) != 0)
            scenario.Announce("v=STSv1; id=broken-");
        if ((failing & 128) != 0)
            scenario.Served = null;
        if (resolver)
            scenario.IsVouched = false;
    }

    // Plain text possible, encrypted, authenticated.
    private static int Strength(DiscoveredAnswer answer, DiscoverySettings settings) => answer switch
    {
        DiscoveredAnswer.Dane => 0,
        DiscoveredAnswer.Secure or DiscoveredAnswer.DaneOnly => 2,
        _ => settings.SecurityLevel switch
        {
            TlsLevel.None or TlsLevel.May or TlsLevel.Dane => 0,
            TlsLevel.Encrypt => 1,
            _ => 2,
        },
    };

    private sealed record World(char Mx, string Hosts, int Policy, DiscoverySettings Settings, bool IsVouched)
    {
        public DiscoveryScenario Scenario()
        {
            var scenario = DiscoveryScenario.Of(Mx.ToString(), Hosts);
            (scenario.Settings, scenario.IsVouched) = (Settings, IsVouched);
            scenario.Announce();
            switch (Policy)
            {
                case 1:
                    scenario.Publish(DiscoveryScenario.Enforce);
                    break;
                case 2:
                    scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx1.example.com\nmx: *.example.net\n");
                    break;
                case 3:
                    scenario.Publish("version: STSv1\nmode: testing\nmax_age: 604800\nmx: *.example.com\n");
                    break;
            }

            return scenario;
        }
    }
}
