using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Probe.Scheduling;
using PolicyDaemon.Tests.Core.Rotation;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Scheduling;

public sealed class ProbeEngineTests : IAsyncDisposable
{
    private readonly NotedTime time = new(TestCertificates.Now);
    private readonly MemoryLedger ledger = new();
    private readonly FakeNetwork network;
    private readonly ProbeCounters counters = new();
    private CancellationTokenSource stop = new();
    private readonly List<(ProbeEngine Engine, Task Running)> engines = [];

    public ProbeEngineTests() => network = new FakeNetwork(time);

    [Fact]
    public async Task One_probe_serves_every_destination_behind_an_address()
    {
        for (var i = 0; i < 200; i++)
        {
            ledger.Add($"d{i}.example", Pinned("key"));
            network.Zone($"d{i}.example", $"198.51.100.{i % 4}");
        }

        for (var i = 0; i < 4; i++)
            network.Server($"198.51.100.{i}", "key");
        Start();

        await Until.TrueAsync(() => ledger.Results.Count == 200);
        Assert.Equal(4, network.Connections.Count);
        Assert.All(ledger.Results, result => Assert.Equal(DestinationVerdict.Ok, result.Result.Verdict));
    }

    [Fact]
    public async Task A_new_key_is_judged_for_everyone_behind_the_address_with_one_connection()
    {
        BehindOneAddress(20);
        var engine = Start();
        await Until.TrueAsync(() => ledger.Results.Count == 20);

        network.Server("198.51.100.1", "new");
        time.Advance(TimeSpan.FromHours(1));
        engine.Want(NextHop.Parse("d7.example"), ProbeReason.Person);

        await Until.TrueAsync(() => Enumerable.Range(0, 20).All(i => ledger.StateOf($"d{i}.example", RotationScenario.KeyOf("new")) == PinState.Candidate));
        Assert.Equal(2, network.Connections.Count);
    }

    [Fact]
    public async Task Outcomes_of_connections_and_moved_pins_are_counted_from_one_engine_to_the_next()
    {
        ledger.Add("good.example", Pinned("key"));
        ledger.Add("renewed.example", Pinned("other"));
        network.Zone("good.example", "198.51.100.1");
        network.Zone("renewed.example", "198.51.100.2");
        network.Server("198.51.100.1", "key");
        network.Server("198.51.100.2", "new");
        Start();
        // A sample may connect once more to where it was already.
        await Until.TrueAsync(() => counters.Outcomes["secured"] >= 2 && counters.Transitions["candidate"] > 0);
        await StopAsync();

        var secured = counters.Outcomes["secured"];
        Assert.Equal(secured, counters.Durations.Count);
        Assert.InRange(secured, 2, 10);
        Assert.Equal((1, 0), (counters.Transitions["candidate"], counters.Transitions["forgotten"]));

        Start();
        Assert.InRange(counters.Outcomes["secured"], secured, 20);
    }

    [Fact]
    public async Task A_destination_whose_servers_cannot_be_found_is_counted_without_a_connection()
    {
        ledger.Add("nowhere.example", Pinned("key"));
        network.Zone("nowhere.example", "198.51.100.1");
        network.DnsFailsFor = "nowhere.example";
        Start();

        await Until.TrueAsync(() => counters.Outcomes.TryGetValue("dns-failure", out var count) && count > 0);
        Assert.Equal(0, counters.Durations.Count);
    }

    [Fact]
    public async Task A_restart_does_not_probe_everything_again()
    {
        One();
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);
        await StopAsync();

        Start();
        time.Advance(TimeSpan.FromHours(20));
        await SettleAsync();
        Assert.Single(network.Connections);

        time.Advance(TimeSpan.FromHours(8));
        await Until.TrueAsync(() => network.Connections.Count == 2);
    }

    [Fact]
    public async Task Each_day_brings_one_probe()
    {
        One();
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);

        for (var day = 2; day <= 6; day++)
        {
            time.Advance(ledger.Results.Last().NextDue - time.GetUtcNow());
            await Until.TrueAsync(() => ledger.Results.Count == day);
        }

        Assert.Equal(6, network.Connections.Count);
        Assert.InRange(time.GetUtcNow() - TestCertificates.Now, TimeSpan.FromDays(4.5), TimeSpan.FromDays(5.5));
    }

    [Fact]
    public async Task A_lookup_makes_an_old_probe_due_and_leaves_a_young_one()
    {
        One();
        var engine = Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);

        time.Advance(TimeSpan.FromMinutes(4));
        engine.Want(NextHop.Parse("one.example"), ProbeReason.Lookup);
        await SettleAsync();
        Assert.Single(ledger.Results);
        Assert.Single(network.Connections);

        time.Advance(TimeSpan.FromMinutes(2));
        engine.Want(NextHop.Parse("one.example"), ProbeReason.Lookup);
        await Until.TrueAsync(() => network.Connections.Count == 2);
    }

    [Fact]
    public async Task The_other_key_algorithm_is_asked_for_once_a_week()
    {
        One();
        var engine = Start(OnlyWhenWanted);
        await Until.TrueAsync(() => ledger.Results.Count == 1);

        for (var probe = 2; probe <= 11; probe++)
        {
            time.Advance(TimeSpan.FromHours(24));
            engine.Want(NextHop.Parse("one.example"), ProbeReason.Person);
            await Until.TrueAsync(() => ledger.Results.Count == probe);
        }

        Assert.Equal((11, 2), (network.Connections.Count, network.BothAsked));
    }

    [Fact]
    public async Task A_server_that_refuses_TLS_1_2_is_asked_for_it_once_in_three_months()
    {
        network.RefusesTls12 = true;
        One();
        var engine = Start(OnlyWhenWanted);
        await Until.TrueAsync(() => ledger.Results.Count == 1);

        for (var probe = 2; probe <= 14; probe++)
        {
            Assert.Equal(1, network.BothAsked);
            time.Advance(TimeSpan.FromDays(7));
            engine.Want(NextHop.Parse("one.example"), ProbeReason.Person);
            await Until.TrueAsync(() => ledger.Results.Count == probe);
        }

        Assert.Equal(2, network.BothAsked);
    }

    [Fact]
    public async Task A_server_that_is_down_for_one_is_no_news_for_the_others()
    {
        BehindOneAddress(10);
        var engine = Start();
        await Until.TrueAsync(() => ledger.Results.Count == 10);
        network.Failures[System.Net.IPAddress.Parse("198.51.100.1")] = ProbeOutcome.Timeout;

        time.Advance(TimeSpan.FromHours(1));
        engine.Want(NextHop.Parse("d7.example"), ProbeReason.Person);
        await Until.TrueAsync(() => ledger.Results.Count == 11);
        await SettleAsync();

        Assert.Equal(11, ledger.Results.Count);
    }

    [Fact]
    public async Task A_key_that_nobody_configured_is_not_probed_whoever_asks()
    {
        One();
        var engine = Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);

        engine.Want(NextHop.Parse("stranger.example"), ProbeReason.Person);
        await SettleAsync();

        Assert.Single(ledger.Results);
    }

    [Fact]
    public async Task A_destination_that_is_added_is_probed_and_a_removed_one_is_not()
    {
        One();
        var engine = Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);

        ledger.Add("two.example", Pinned("key"));
        network.Zone("two.example", "198.51.100.1");
        ledger.Remove("one.example");
        engine.ListChanged();
        await Until.TrueAsync(() => ledger.Results.Count == 2);
        time.Advance(TimeSpan.FromDays(2));
        await Until.TrueAsync(() => ledger.Results.Count == 3);
        await SettleAsync();

        Assert.Equal(["one.example", "two.example", "two.example"], ledger.Results.Select(result => result.Key.Text));
    }

    [Fact]
    public async Task DANE_evidence_promotes_when_the_pass_has_ended()
    {
        EachBehindItsOwn(50);
        network.Tlsa.Add(RotationScenario.TlsaOf("key"));
        network.Tlsa.Add(RotationScenario.TlsaOf("new"));
        var engine = Start();
        await Until.TrueAsync(() => ledger.Results.Count >= 50);
        network.Server("198.51.100.7", "unannounced");
        network.Tlsa.Add(RotationScenario.TlsaOf("unannounced"));
        time.Advance(TimeSpan.FromHours(1));
        engine.Want(NextHop.Parse("d7.example"), ProbeReason.Person);

        await Until.TrueAsync(() => ledger.StateOf("d7.example", RotationScenario.KeyOf("unannounced")) == PinState.Candidate);
        // The sample, which must have been probed before anything is promoted.
        await Until.TrueAsync(() => network.Connections.Count >= 51 + 10);
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return ledger.StateOf("d7.example", RotationScenario.KeyOf("unannounced")) == PinState.Active;
        });
        Assert.True(time.GetUtcNow() - TestCertificates.Now < TimeSpan.FromHours(1) + RotationOptions.Default.EvidenceWait, "it waited for the clock, not for the pass");
        Assert.Equal(PinState.Active, ledger.StateOf("d7.example", RotationScenario.KeyOf("key")));
    }

    [Fact]
    public async Task A_resolver_that_fails_the_self_test_right_before_a_promotion_promotes_nothing_and_is_a_finding()
    {
        One();
        network.Tlsa.Add(RotationScenario.TlsaOf("key"));
        var engine = Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);
        Assert.Equal(0, network.Retests);

        network.TroubleWhenRetested = "bogus.test must come back bogus and was answered";
        network.Server("198.51.100.1", "forged");
        network.Tlsa.Add(RotationScenario.TlsaOf("forged"));
        for (var hour = 0; hour < 30; hour++)
        {
            time.Advance(TimeSpan.FromHours(1));
            engine.Want(NextHop.Parse("one.example"), ProbeReason.Person);
            await SettleAsync();
        }

        Assert.InRange(network.Retests, 1, 60);
        Assert.Equal(PinState.Candidate, ledger.StateOf("one.example", RotationScenario.KeyOf("forged")));
        Assert.Contains(ledger.ProberFindings, finding =>
            finding.Kind == FindingKind.ResolverNotValidating && finding.Detail.Contains("bogus.test must come back bogus", StringComparison.Ordinal));
    }

    [Fact]
    public async Task When_our_network_shows_new_keys_everywhere_nothing_is_promoted_and_there_is_one_finding()
    {
        EachBehindItsOwn(100);
        network.Tlsa.Add(RotationScenario.TlsaOf("key"));
        var engine = Start();
        await Until.TrueAsync(() => ledger.Results.Count >= 100);

        // Someone between us and the world, who also forges TLSA records.
        network.Tlsa.Add(RotationScenario.TlsaOf("forged"));
        for (var i = 0; i < 100; i++)
            network.Server($"198.51.100.{i}", "forged");
        time.Advance(TimeSpan.FromMinutes(10));
        engine.Want(NextHop.Parse("d7.example"), ProbeReason.Lookup);

        await Until.TrueAsync(() => ledger.ProberFindings.Any(finding => finding.Kind == FindingKind.BrakeOn));
        for (var hour = 0; hour < 20; hour++)
        {
            time.Advance(TimeSpan.FromHours(1));
            await SettleAsync();
        }

        Assert.All(Enumerable.Range(0, 100), i =>
        {
            Assert.NotEqual(PinState.Active, ledger.StateOf($"d{i}.example", RotationScenario.KeyOf("forged")));
            Assert.NotEqual(PinState.Standby, ledger.StateOf($"d{i}.example", RotationScenario.KeyOf("forged")));
            Assert.Equal(PinState.Active, ledger.StateOf($"d{i}.example", RotationScenario.KeyOf("key")));
        });
        Assert.Single(ledger.ProberFindings, finding => finding.Kind == FindingKind.BrakeOn);
    }

    [Fact]
    public async Task When_a_fifth_of_all_show_new_keys_that_DNS_confirms_the_sample_grows_until_the_brake_is_on()
    {
        EachBehindItsOwn(100);
        network.Tlsa.Add(RotationScenario.TlsaOf("key"));
        var engine = Start();
        await Until.TrueAsync(() => ledger.Results.Count >= 100);

        network.Tlsa.Add(RotationScenario.TlsaOf("forged"));
        for (var i = 0; i < 100; i += 5)
            network.Server($"198.51.100.{i}", "forged");
        time.Advance(TimeSpan.FromMinutes(10));
        engine.Want(NextHop.Parse("d5.example"), ProbeReason.Lookup);

        // No clock moves: only the first key's own sample can find the others.
        await Until.TrueAsync(() => ledger.ProberFindings.Any(finding => finding.Kind == FindingKind.BrakeOn));
        for (var hour = 0; hour < 20; hour++)
        {
            time.Advance(TimeSpan.FromHours(1));
            await SettleAsync();
        }

        for (var i = 0; i < 100; i++)
            Assert.True(ledger.StateOf($"d{i}.example", RotationScenario.KeyOf("forged")) is null or PinState.Candidate, $"d{i}.example");
    }

    [Fact]
    public async Task A_server_that_asks_for_patience_is_left_alone_even_when_asked_for()
    {
        One();
        network.Failures[System.Net.IPAddress.Parse("198.51.100.1")] = ProbeOutcome.GreetingTemporary;
        var engine = Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);

        time.Advance(TimeSpan.FromMinutes(10));
        engine.Want(NextHop.Parse("one.example"), ProbeReason.Person);
        await Until.TrueAsync(() => ledger.Results.Count == 2);

        Assert.Single(network.Connections);
        Assert.Equal(DestinationVerdict.Unreachable, ledger.Results.Last().Result.Verdict);
    }

    [Fact]
    public async Task Our_own_DNS_failing_connects_to_nobody_changes_nothing_and_is_tried_again_soon()
    {
        One();
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);
        network.DnsFails = true;

        time.Advance(TimeSpan.FromHours(27));
        await Until.TrueAsync(() => ledger.Results.Count == 2);
        var failed = ledger.Results.Last();

        Assert.Single(network.Connections);
        Assert.Empty(failed.Result.Transitions);
        Assert.Equal(ledger.Results.First().Targets, failed.Targets);
        Assert.InRange(failed.NextDue - time.GetUtcNow(), TimeSpan.FromMinutes(13), TimeSpan.FromMinutes(17));
    }

    [Fact]
    public async Task A_resolver_that_is_gone_is_one_finding_and_ends_when_it_is_back()
    {
        BehindOneAddress(20);
        network.DnsFails = true;
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 20);
        Assert.Single(ledger.ProberFindings, finding => finding.Kind == FindingKind.DnsTrouble);
        Assert.All(ledger.Results, result => Assert.Empty(result.Result.Findings));
        await Until.TrueAsync(() => ledger.ProberFindings.Single().Affects == 20);
        Assert.StartsWith("the resolver 192.0.2.53 answers SERVFAIL for 20 of 20 destinations, among them d0.example, ", ledger.ProberFindings.Single().Detail, StringComparison.Ordinal);

        network.DnsFails = false;
        time.Advance(TimeSpan.FromMinutes(20));
        await Until.TrueAsync(() => ledger.Results.Count == 40 && ledger.ProberFindings.Count == 0);
        Assert.All(ledger.Results.Skip(20), result => Assert.Equal(DestinationVerdict.Ok, result.Result.Verdict));
    }

    /// <summary>As many fail as before, in another way: whoever reads it must not look for the wrong fault.</summary>
    [Fact]
    public async Task A_resolver_that_fails_otherwise_than_before_is_told_so()
    {
        BehindOneAddress(20);
        network.DnsFails = true;
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 20 && ledger.ProberFindings.Count == 1);

        network.DnsFailure = new("192.0.2.53", "refuses connections");
        time.Advance(TimeSpan.FromMinutes(20));
        await Until.TrueAsync(() => ledger.ProberFindings.Single().Detail.StartsWith("the resolver 192.0.2.53 refuses connections for 20 of 20 ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_resolver_that_is_gone_is_the_same_finding_after_a_restart()
    {
        BehindOneAddress(20);
        network.DnsFails = true;
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 20 && ledger.ProberFindings.Count == 1);
        var since = ledger.ProberFindings.Single().Since;
        await StopAsync();

        time.Advance(TimeSpan.FromMinutes(20));
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 40);
        Assert.Equal((FindingKind.DnsTrouble, since), (ledger.ProberFindings.Single().Kind, ledger.ProberFindings.Single().Since));
        Assert.All(ledger.Results, result => Assert.Empty(result.Result.Findings));

        network.DnsFails = false;
        time.Advance(TimeSpan.FromMinutes(20));
        await Until.TrueAsync(() => ledger.Results.Count == 60 && ledger.ProberFindings.Count == 0);
    }

    [Fact]
    public async Task Where_DNS_fails_for_one_of_many_it_is_a_finding_when_it_fails_again()
    {
        BehindOneAddress(20);
        network.DnsFailsFor = "d7.example";
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 20);
        Assert.All(ledger.Results, result => Assert.Empty(result.Result.Findings));

        time.Advance(TimeSpan.FromMinutes(20));
        await Until.TrueAsync(() => ledger.Results.Count == 21);
        Assert.Equal(("d7.example", FindingKind.DnsTrouble), (ledger.Results.Last().Key.Text, Assert.Single(ledger.Results.Last().Result.Findings).Kind));
        Assert.DoesNotContain(ledger.ProberFindings, finding => finding.Kind == FindingKind.DnsTrouble);
    }

    [Fact]
    public async Task A_resolver_that_fails_for_some_and_not_for_others_is_one_finding_that_says_for_how_many()
    {
        EachBehindItsOwn(40);
        network.DnsFailsWhere = key => key.Text.Contains('3', StringComparison.Ordinal);
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 40);
        for (var i = 0; i < 3; i++)
        {
            time.Advance(TimeSpan.FromMinutes(20));
            await Until.TrueAsync(() => ledger.Results.Count >= 40 + (13 * (i + 1)));
        }

        var finding = Assert.Single(ledger.ProberFindings);
        Assert.Equal(FindingKind.DnsTrouble, finding.Kind);
        Assert.Matches("^policyctl check d[0-9]*3[0-9]*.example$", finding.Remedy);
        await Until.TrueAsync(() => ledger.ProberFindings.Single().Affects == 13);
        Assert.Matches("^the resolver 192.0.2.53 answers SERVFAIL for 13 of 40 destinations, among them d[0-9]*3[0-9]*.example, ", ledger.ProberFindings.Single().Detail);
        Assert.All(ledger.Results, result => Assert.DoesNotContain(result.Result.Findings, one => one.Kind == FindingKind.DnsTrouble));
    }

    [Fact]
    public async Task A_network_without_connections_is_one_finding_and_ends_when_it_is_back()
    {
        EachBehindItsOwn(12);
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 12);
        foreach (var address in ledger.Results.SelectMany(result => result.Targets).Select(target => target.Target.Address).Distinct())
            network.Failures[address] = ProbeOutcome.Timeout;
        time.Advance(TimeSpan.FromHours(27));
        await Until.TrueAsync(() => ledger.Results.Count == 24);
        time.Advance(TimeSpan.FromMinutes(20));
        await Until.TrueAsync(() => ledger.Results.Count == 36);

        Assert.Equal(FindingKind.NetworkTrouble, Assert.Single(ledger.ProberFindings).Kind);
        Assert.All(ledger.Results, result => Assert.Empty(result.Result.Findings));
        Assert.All(ledger.Results.Skip(24), result => Assert.Contains(FindingKind.DestinationUnreachable, result.Undecided));

        network.Failures.Clear();
        time.Advance(TimeSpan.FromMinutes(40));
        await Until.TrueAsync(() => ledger.Results.Count == 48 && ledger.ProberFindings.Count == 0);
    }

    [Fact]
    public async Task Where_few_are_probed_DNS_that_fails_is_a_finding_at_once()
    {
        One();
        network.DnsFails = true;
        Start();
        await Until.TrueAsync(() => ledger.Results.Count == 1);

        Assert.Equal(FindingKind.DnsTrouble, Assert.Single(ledger.Results.Last().Result.Findings).Kind);
    }

    [Fact]
    public async Task Connections_are_bounded_and_never_two_to_one_address()
    {
        for (var i = 0; i < 60; i++)
        {
            // Two ports at each address, so two targets in one lane.
            ledger.Add($"[198.51.100.{i / 2}]:{25 + (i % 2)}", Pinned("key"));
            network.Zone($"198.51.100.{i / 2}", $"198.51.100.{i / 2}");
            network.Server($"198.51.100.{i / 2}", "key");
        }

        network.Barrier = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Start(new ScheduleOptions { ProbesPerSecond = 1_000_000, MaxConnections = 8, AddressSpacing = TimeSpan.Zero, ProviderSpacing = TimeSpan.Zero });
        await Until.TrueAsync(() => network.Connections.Count == 8);
        await SettleAsync();
        Assert.Equal(8, network.Connections.Count);
        network.Barrier.SetResult();

        await Until.TrueAsync(() => ledger.Results.Count == 60);
        Assert.Equal(8, network.MostOpen);
        Assert.False(network.TwoAtOnceToOneAddress);
    }

    [Fact]
    public async Task Connections_to_one_provider_are_spaced()
    {
        EachBehindItsOwn(3);
        Start(new ScheduleOptions { ProbesPerSecond = 1_000_000, ProviderSpacing = TimeSpan.FromSeconds(10) });

        for (var connections = 1; connections <= 3; connections++)
        {
            await Until.TrueAsync(() => network.Connections.Count == connections);
            await SettleAsync();
            Assert.Equal(connections, network.Connections.Count);
            time.Advance(TimeSpan.FromSeconds(10));
        }
    }

    [Fact]
    public async Task The_pause_before_the_next_probe_is_whole_milliseconds_so_that_nothing_wakes_too_early()
    {
        BehindOneAddress(30);
        Start(new ScheduleOptions { ProbesPerSecond = 600, ProviderSpacing = TimeSpan.Zero });

        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            return ledger.Results.Count == 30;
        });
        Assert.NotEmpty(time.Pauses);
        Assert.All(time.Pauses, pause => Assert.Equal(Math.Max(1, Math.Ceiling(pause.TotalMilliseconds)), pause.TotalMilliseconds));
    }

    [Fact]
    public async Task A_fault_in_one_probe_ends_that_probe_only()
    {
        ledger.Add("crash.example", Pinned("key"));
        One();
        Start();

        await Until.TrueAsync(() => ledger.Results.Count == 1);
        Assert.Equal("one.example", ledger.Results.First().Key.Text);
    }

    [Fact]
    public async Task A_ledger_that_cannot_be_written_is_tried_again()
    {
        One();
        ledger.IsBroken = true;
        Start();
        await SettleAsync();
        ledger.IsBroken = false;
        time.Advance(TimeSpan.FromMinutes(6));

        await Until.TrueAsync(() => ledger.Results.Count == 1);
    }

    [Fact]
    public async Task A_destination_without_pins_gets_the_verdict_of_its_level()
    {
        ledger.Add("one.example", TlsLevel.DaneOnly, PinMode.Assist);
        network.Zone("one.example", "198.51.100.1");
        network.Server("198.51.100.1", "key");
        network.Tlsa.Add(RotationScenario.TlsaOf("other"));
        Start();

        await Until.TrueAsync(() => ledger.Results.Count == 1);
        var result = ledger.Results.First().Result;
        Assert.Equal(DestinationVerdict.Mismatch, result.Verdict);
        Assert.Empty(result.Transitions);
        var finding = Assert.Single(result.Findings);
        Assert.Equal((FindingKind.LevelNotMet, ProbeOutcome.TlsaMismatch), (finding.Kind, finding.Outcome));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
    }

    private void One()
    {
        ledger.Add("one.example", Pinned("key"));
        network.Zone("one.example", "198.51.100.1");
        network.Server("198.51.100.1", "key");
    }

    private void BehindOneAddress(int destinations)
    {
        for (var i = 0; i < destinations; i++)
        {
            ledger.Add($"d{i}.example", Pinned("key"));
            network.Zone($"d{i}.example", "198.51.100.1");
        }

        network.Server("198.51.100.1", "key");
    }

    private void EachBehindItsOwn(int destinations)
    {
        for (var i = 0; i < destinations; i++)
        {
            ledger.Add($"d{i}.example", Pinned("key"));
            network.Zone($"d{i}.example", $"198.51.100.{i}");
            network.Server($"198.51.100.{i}", "key");
        }
    }

    private static Pin Pinned(string key) =>
        new(RotationScenario.KeyOf(key), PinSubject.PublicKey, PinState.Active, PinStrength.Person, TestCertificates.Now);

    /// <summary>Nothing is due by itself, so that each probe that is wanted is one probe.</summary>
    private static ScheduleOptions OnlyWhenWanted { get; } = new()
    {
        Interval = TimeSpan.FromDays(1000), RenewalInterval = TimeSpan.FromDays(1000), ProbesPerSecond = 1_000_000, ProviderSpacing = TimeSpan.Zero,
    };

    private ProbeEngine Start(ScheduleOptions? options = null)
    {
        var engine = new ProbeEngine(
            ledger, network, network, options ?? new ScheduleOptions { ProbesPerSecond = 1_000_000, ProviderSpacing = TimeSpan.Zero }, PostfixSettings.Default,
            new Random(1), time, NullLogger.Instance, counters);
        engines.Add((engine, Task.Run(() => engine.RunAsync(stop.Token))));
        return engine;
    }

    private async Task StopAsync()
    {
        await stop.CancelAsync();
        foreach (var (engine, running) in engines)
        {
            await running;
            engine.Dispose();
        }

        engines.Clear();
        stop.Dispose();
        stop = new CancellationTokenSource();
    }

    /// <summary>Lets everything that is due by now run. For claims that nothing happens: a slow machine can only make them pass.</summary>
    private static async Task SettleAsync()
    {
        for (var i = 0; i < 20; i++)
            await Task.Delay(5, TestContext.Current.CancellationToken);
    }

    /// <summary>Notes for how long timers are set again.</summary>
    private sealed class NotedTime(DateTimeOffset start) : FakeTimeProvider(start)
    {
        public ConcurrentQueue<TimeSpan> Pauses { get; } = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Noted(base.CreateTimer(callback, state, dueTime, period), Pauses);

        private sealed class Noted(ITimer timer, ConcurrentQueue<TimeSpan> pauses) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                pauses.Enqueue(dueTime);
                return timer.Change(dueTime, period);
            }

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }
}
