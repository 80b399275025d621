using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

/// <summary>What a person refused, and what else is on record about a key that nobody expects.</summary>
public sealed class RefusedPinTests
{
    private const string A = "192.0.2.1";

    private readonly RotationScenario world = new() { Mode = PinMode.Auto };

    public RefusedPinTests()
    {
        world.Server(A);
        world.Pin("current");
        world.Secure();
        world.See(A, "current", trusted: true);
        world.Step();
    }

    [Theory]
    [InlineData(PinState.Revoked, FindingKind.RevokedKeySeen)]
    [InlineData(PinState.Rejected, FindingKind.RejectedKeySeen)]
    public void A_key_that_a_person_refused_is_never_served_by_evidence_and_the_finding_says_who_refused_it(PinState state, FindingKind kind)
    {
        world.Pin("stolen", state);
        world.Refusals = [new PinRefusal(RotationScenario.KeyOf("stolen"), "alice", world.Now, "old key was stolen")];
        var at = world.Now;
        world.Tlsa.Add(RotationScenario.TlsaOf("current"));
        world.Tlsa.Add(RotationScenario.TlsaOf("stolen"));

        world.Days(5, () => world.See(A, "stolen", trusted: true), everyHours: 4);

        Assert.Equal(state, world.StateOf("stolen"));
        var finding = Assert.Single(world.Evaluate().Findings, finding => finding.Kind == kind);
        Assert.Contains($"by alice on {at:yyyy-MM-dd HH:mm} UTC, because: old key was stolen", finding.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(world.Evaluate().Findings, finding => finding.Kind == FindingKind.NewKey);
    }

    [Fact]
    public void A_certificate_that_was_revoked_beside_its_served_key_is_no_alarm()
    {
        var certificate = RotationScenario.Certificate("current");
        world.Pins.Add(new Pin(
            certificate.Digest(PinSubject.Certificate, DigestAlgorithm.Sha256), PinSubject.Certificate, PinState.Revoked, PinStrength.Person, world.Now));

        Assert.Empty(world.Evaluate().Findings);
    }

    [Fact]
    public void A_retired_key_that_is_presented_again_is_called_so()
    {
        world.Pin("former", PinState.Retired);
        world.Now = world.Now.AddDays(3);
        world.See(A, "former");

        Assert.Contains("it was a pin here (person) and was retired on 2026-11-23", NewKey().Detail, StringComparison.Ordinal);
        Assert.Contains("it was a pin here (person)", Assert.Single(world.Step().Transitions).Reason, StringComparison.Ordinal);
        Assert.Contains("it was a pin here before (person) and was retired", NewKey().Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PinState.Active, false, "it is a pin of another destination, other.example, behind other MX hosts")]
    [InlineData(PinState.Active, true, "it is a pin of other.example, whose mail goes to the same MX host")]
    [InlineData(PinState.Revoked, true, "other.example has revoked it")]
    public void A_key_of_another_destination_is_called_so(PinState state, bool shares, string said)
    {
        world.Elsewhere = [new PinElsewhere(RotationScenario.KeyOf("foreign"), NextHop.Parse("other.example"), state, shares)];
        world.Now = world.Now.AddHours(1);
        world.See(A, "foreign");

        Assert.Contains(said, NewKey().Detail, StringComparison.Ordinal);
        Assert.Contains(said, Assert.Single(world.Step().Transitions).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Serving_it_again_takes_a_person_and_a_reason()
    {
        var refused = new Pin(RotationScenario.KeyOf("stolen"), PinSubject.PublicKey, PinState.Revoked, PinStrength.Person, world.Now);
        var before = new Destination
        {
            Key = NextHop.Parse("example.com"), Policy = new TlsPolicy { Level = TlsLevel.Fingerprint }, Pins = [world.Pins[0], refused],
        };

        var weakens = Weakening.Now(before, before with { Pins = before.Pins.Serve(refused with { State = PinState.Active }) }, PostfixSettings.Default, _ => null);

        Assert.Contains("which was revoked", Assert.Single(weakens), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PinState.Revoked)]
    [InlineData(PinState.Rejected)]
    public void No_rule_moves_it_whatever_is_proposed(PinState state)
    {
        ImmutableArray<Pin> pins = [world.Pins[0], new Pin(RotationScenario.KeyOf("stolen"), PinSubject.PublicKey, state, PinStrength.Person, world.Now)];
        foreach (var to in Enum.GetValues<PinState>().Select(to => (PinState?)to).Append(null))
        {
            var proposed = new PinTransition(RotationScenario.KeyOf("stolen"), PinSubject.PublicKey, state, to, PinStrength.Dane, RotationRule.Dane, "x");
            Assert.Empty(PinTransitions.Apply(pins, [proposed], PinMode.Auto, world.Now, _ => true).Applied);
        }
    }

    private Finding NewKey() => Assert.Single(world.Evaluate().Findings, finding => finding.Kind == FindingKind.NewKey);
}
