using CsCheck;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

/// <summary>Whatever a network does to the prober, these hold.</summary>
public sealed class RotationPropertyTests
{
    private const int Iterations = 500;

    private static readonly string[] Addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    private static readonly string[] Keys = ["pinned", "second", "dane", "webpki", "nobody"];

    // What the world holds true of a key; the rules must find out by evidence.
    private const string WithTlsa = "dane", WithChain = "webpki";

    private static readonly ProbeOutcome[] Inconclusive =
        [.. Enum.GetValues<ProbeOutcome>().Where(outcome => !outcome.IsConclusive())];

    private sealed record Seen(int Address, int Key, int Failure, bool NoTls);

    private sealed record Round(int Hours, Seen[] Seen, bool DnsFails, bool Secure, int NewKeyHosts);

    private static readonly Gen<Seen> GenSeen =
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, 4], Gen.Int[-40, Inconclusive.Length - 1], Gen.Int[0, 30])
            .Select((address, key, failure, tls) => new Seen(address, key, failure, tls == 0));

    private static readonly Gen<Round> GenRound =
        Gen.Select(Gen.Int[1, 40], GenSeen.Array[0, 4], Gen.Int[0, 10], Gen.Int[0, 10], Gen.Int[0, 6])
            .Select((hours, seen, dns, secure, groups) => new Round(hours, seen, dns == 0, secure != 0, groups));

    private static readonly Gen<(PinMode Mode, bool Tlsa, Round[] Rounds)> GenHistory =
        Gen.Select(Gen.Enum<PinMode>(), Gen.Bool, GenRound.Array[1, 40]);

    [Fact]
    public void An_unapproved_pin_is_never_served() => GenHistory.Sample(history =>
    {
        var (world, seenTrusted) = (World(history.Mode, history.Tlsa), 0);
        foreach (var round in history.Rounds)
        {
            Play(world, round);
            seenTrusted += round.Seen.Any(seen => Keys[seen.Key] == WithChain && seen.Failure < 0 && !seen.NoTls) ? 1 : 0;
            world.Step();
            Assert.All(world.Pins.Where(pin => pin.IsServed), pin => Assert.True(
                pin.Fingerprint == RotationScenario.KeyOf("pinned") || pin.Fingerprint == RotationScenario.KeyOf("second")
                || (pin.Fingerprint == RotationScenario.KeyOf(WithTlsa) && history.Mode != PinMode.Locked && pin.Strength == PinStrength.Dane)
                || (pin.Fingerprint == RotationScenario.KeyOf(WithChain) && history.Mode == PinMode.Auto
                    && pin.Strength == PinStrength.WebPki && seenTrusted >= 3)));
        }
    }, iter: Iterations);

    [Fact]
    public void The_last_pin_is_never_dropped() => GenHistory.Sample(history =>
    {
        var world = World(history.Mode, history.Tlsa);
        foreach (var round in history.Rounds)
        {
            Play(world, round);
            world.Step();
            Assert.Contains(world.Pins, pin => pin.IsServed);
        }
    }, iter: Iterations);

    [Fact]
    public void Inconclusive_probes_change_nothing_however_long_they_last() =>
        Gen.Select(GenHistory, Gen.Int[0, Inconclusive.Length - 1], Gen.Int[1, 2000]).Sample((history, failure, hours) =>
        {
            var world = World(history.Mode, history.Tlsa);
            foreach (var round in history.Rounds)
            {
                Play(world, round);
                world.Step();
            }

            world.Now = world.Now.AddHours(hours);
            foreach (var address in Addresses)
                world.Fail(address, Inconclusive[failure]);
            Assert.Empty(world.Step().Transitions);
        }, iter: Iterations);

    [Fact]
    public void The_order_of_observations_from_different_addresses_does_not_matter() => GenHistory.Sample(history =>
    {
        var (one, other) = (World(history.Mode, history.Tlsa), World(history.Mode, history.Tlsa));
        other.ReverseAddresses = true;
        other.Pins.Reverse();
        foreach (var round in history.Rounds)
        {
            var distinct = round with { Seen = [.. round.Seen.DistinctBy(seen => seen.Address)] };
            Play(one, distinct);
            Play(other, distinct with { Seen = [.. distinct.Seen.Reverse()] });
            var (first, second) = (one.Step(), other.Step());
            Assert.Equal(first.Transitions, second.Transitions);
            Assert.Equal(first.Verdict, second.Verdict);
            Assert.Equal(first.ReconsiderAt, second.ReconsiderAt);
            Assert.Equal(first.NewKeySeen, second.NewKeySeen);
            Assert.Equal(first.Findings.Select(Describe), second.Findings.Select(Describe));
        }
    }, iter: Iterations);

    [Fact]
    public void In_locked_no_pin_changes_its_state() => GenHistory.Sample(history =>
    {
        var world = World(PinMode.Locked, history.Tlsa);
        foreach (var round in history.Rounds)
        {
            Play(world, round);
            Assert.All(world.Step().Transitions, transition =>
            {
                Assert.Null(transition.From);
                Assert.Equal(PinState.Candidate, transition.To);
            });
        }
    }, iter: Iterations);

    [Fact]
    public void A_rejected_pin_stays_rejected() => GenHistory.Sample(history =>
    {
        var world = World(history.Mode, history.Tlsa);
        world.Pin(WithTlsa, PinState.Rejected);
        foreach (var round in history.Rounds)
        {
            Play(world, round);
            world.Step();
            Assert.Equal(PinState.Rejected, world.StateOf(WithTlsa));
        }
    }, iter: Iterations);

    [Fact]
    public void While_the_brake_is_on_nothing_is_promoted() => GenHistory.Sample(history =>
    {
        var world = World(history.Mode, history.Tlsa);
        foreach (var round in history.Rounds)
        {
            Play(world, round);
            world.Brake = RotationScenario.Counted(100, 11, world.Now, world.Now);
            Assert.DoesNotContain(world.Step().Transitions, transition =>
                transition.To is PinState.Active or PinState.Standby && transition.From is not PinState.Standby);
        }
    }, iter: Iterations);

    [Fact]
    public void The_same_input_twice_proposes_nothing_the_second_time() => GenHistory.Sample(history =>
    {
        var world = World(history.Mode, history.Tlsa);
        foreach (var round in history.Rounds)
        {
            Play(world, round);
            world.Step();
        }

        // A pin may take its next step at once (retiring, then retired); after a few steps all is said.
        for (var i = 0; i < 4; i++)
            world.Step();
        Assert.Empty(world.Step().Transitions);
    }, iter: Iterations);

    private static string Describe(Finding finding) =>
        $"{finding.Kind} {finding.Detail} {finding.Remedy} {string.Join(' ', finding.Seen)} {string.Join(' ', finding.Expected.Order(Comparer<Fingerprint>.Create((a, b) => string.CompareOrdinal(a.Hex, b.Hex))))}";

    private static RotationScenario World(PinMode mode, bool tlsa)
    {
        var world = new RotationScenario { Mode = mode };
        world.Pin("pinned");
        world.Pin("second", PinState.Standby);
        world.Server(Addresses[0]);
        world.Server(Addresses[1]);
        world.Server(Addresses[2], "mx2.example");
        // The chain's key has no record, and a record that does not match holds everything: so half of the worlds have none.
        foreach (var key in tlsa ? ["pinned", "second", WithTlsa] : Array.Empty<string>())
            world.Tlsa.Add(RotationScenario.TlsaOf(key));
        world.Mx = world.Mx with { HostIsGiven = true };
        return world;
    }

    private static void Play(RotationScenario world, Round round)
    {
        world.Now = world.Now.AddHours(round.Hours);
        world.Brake = RotationScenario.Counted(50, round.NewKeyHosts, world.Now, world.Now);
        world.Mx = world.Mx with
        {
            IsCurrent = !round.DnsFails,
            Dnssec = round.Secure ? DnssecStatus.Secure : DnssecStatus.Insecure,
            SecureSince = round.Secure ? world.Mx.SecureSince ?? world.Now : null,
        };
        foreach (var seen in round.Seen)
        {
            var address = Addresses[seen.Address];
            if (seen.NoTls)
                world.Fail(address, ProbeOutcome.StartTlsNotSupported);
            else if (seen.Failure >= 0)
                world.Fail(address, Inconclusive[seen.Failure]);
            else
                world.See(address, Keys[seen.Key], trusted: Keys[seen.Key] == WithChain);
        }
    }
}
