using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Tests.Core.Rotation;
using PolicyDaemon.Tests.Probe.Scheduling;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Destinations;

/// <summary>One way of a probe: with a ledger what was seen is stored, without one it is not.</summary>
public sealed class DestinationProbeTests
{
    private static readonly NextHop One = NextHop.Parse("one.example");

    private readonly SettableClock time = new(TestCertificates.Now);
    private readonly MemoryLedger ledger = new();
    private readonly FakeNetwork network;

    public DestinationProbeTests()
    {
        network = new FakeNetwork(time);
        network.Server("198.51.100.1", "key");
        Add("one.example");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_ledger_nothing_is_stored_and_the_rules_say_the_same()
    {
        using var unstored = Probe(null);
        using var stored = Probe(ledger);

        var one = await unstored.RunAsync(State("one.example"), triesServerNames: false, progress: null, Cancellation);
        Assert.Empty(ledger.Observations);
        Assert.Empty(ledger.Results);

        var other = await stored.RunAsync(One, ProbeReason.Person, passEnded: null, Cancellation);
        Assert.Equal((DestinationVerdict.Ok, DestinationVerdict.Ok), (one.Recorded.Result.Verdict, other!.Recorded.Result.Verdict));
        Assert.Equal(one.Addresses.Select(Shown), other.Addresses.Select(Shown));
        Assert.Equal((1, 1), (ledger.Observations.Count, ledger.Results.Count));
    }

    [Fact]
    public async Task What_was_probed_without_a_ledger_can_be_recorded_later_and_nobody_is_asked_again()
    {
        using var unstored = Probe(null);
        var probed = await unstored.RunAsync(State("one.example"), triesServerNames: false, progress: null, Cancellation);
        time.Advance(TimeSpan.FromMinutes(5));

        using var stored = Probe(ledger);
        await stored.RecordAsync(probed);

        Assert.Single(network.Connections);
        var result = Assert.Single(ledger.Results);
        Assert.Equal((DestinationVerdict.Ok, true), (result.Result.Verdict, result.Result.SeesServedPin));
        Assert.Equal(TestCertificates.Now, ledger.ReadHistory(probed.Addresses[0].Observation.Target).LastAttempt);
    }

    [Fact]
    public async Task An_address_is_connected_to_once_for_all_destinations_behind_it()
    {
        Add("two.example");
        foreach (var memory in (IProbeLedger?[])[null, ledger])
        {
            network.Connections.Clear();
            using var probe = Probe(memory);
            await Task.WhenAll(new[] { "one.example", "two.example" }.Select(key => memory is null
                ? probe.RunAsync(State(key), triesServerNames: false, progress: null, Cancellation)
                : probe.RunAsync(NextHop.Parse(key), ProbeReason.Person, passEnded: null, Cancellation)!));
            Assert.Single(network.Connections);
        }
    }

    [Fact]
    public async Task A_person_is_told_what_is_seen_now_though_the_server_asked_for_patience()
    {
        network.Failures[IPAddress.Parse("198.51.100.1")] = ProbeOutcome.GreetingTemporary;
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            using var probe = Probe(ledger);
            var probed = await probe.RunAsync(One, ProbeReason.Person, passEnded: null, Cancellation);
            Assert.Equal((attempt, DestinationVerdict.Unreachable), (network.Connections.Count, probed!.Recorded.Result.Verdict));
        }

        network.Failures.Clear();
        time.Advance(TimeSpan.FromSeconds(1));
        using var last = Probe(ledger);
        Assert.Equal(DestinationVerdict.Ok, (await last.RunAsync(One, ProbeReason.Person, passEnded: null, Cancellation))!.Recorded.Result.Verdict);
    }

    [Fact]
    public async Task A_server_is_asked_by_name_where_its_certificate_is_not_for_it_and_that_is_judged_apart()
    {
        using var probe = Probe(null);
        var probed = await probe.RunAsync(State("one.example"), triesServerNames: true, progress: null, Cancellation);

        Assert.Equal([null, "mx-198-51-100-1.example"], network.Connections.Select(target => target.ServerName));
        Assert.Equal(1, network.BothAsked);
        var address = Assert.Single(probed.Addresses);
        Assert.Equal("mx-198-51-100-1.example", address.Named?.Target.ServerName);
        Assert.Equal(address.Observation.Target, address.NamedState.History.Target);
    }

    private static string Shown(ProbedAddress address) =>
        $"{address.Host.Name} {address.Observation.Target} {address.Observation.Outcome} {address.Observation.Certificates[0].Certificate.KeyId}";

    private static DestinationState State(string key) => new()
    {
        Key = NextHop.Parse(key), Policy = new TlsPolicy { Level = TlsLevel.Fingerprint }, Mode = PinMode.Assist, Pins = [Pinned()], Entry = NextHop.Parse(key),
    };

    private static Pin Pinned() => new(RotationScenario.KeyOf("key"), PinSubject.PublicKey, PinState.Active, PinStrength.Person, TestCertificates.Now);

    private void Add(string key)
    {
        ledger.Add(key, Pinned());
        network.Zone(key, "198.51.100.1");
    }

    private DestinationProbe Probe(IProbeLedger? into) => new(
        into, network, network, new ScheduleOptions { AddressSpacing = TimeSpan.Zero, ProviderSpacing = TimeSpan.Zero }, PostfixSettings.Default, time,
        GateMemory.ThisRun);
}
