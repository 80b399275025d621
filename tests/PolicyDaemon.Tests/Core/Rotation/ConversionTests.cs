using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

public sealed class ConversionTests
{
    private const string A = "192.0.2.1";

    private readonly RotationScenario world = new();

    public ConversionTests() => world.Server(A);

    [Theory]
    [InlineData(DigestAlgorithm.Sha1, PinMode.Assist, PinState.Active)]
    [InlineData(DigestAlgorithm.Sha1, PinMode.Locked, PinState.Candidate)]
    [InlineData(DigestAlgorithm.Sha512, PinMode.Assist, PinState.Active)]
    [InlineData(DigestAlgorithm.Md5, PinMode.Auto, PinState.Candidate)]
    public void A_key_pin_in_another_digest_is_converted_by_itself_unless_locked_or_MD5(
        DigestAlgorithm digest, PinMode mode, PinState expected)
    {
        world.Mode = mode;
        world.Pins.Add(new Pin(
            RotationScenario.KeyOf("old", digest), PinSubject.Unknown, PinState.Active, PinStrength.Person, world.Now));
        world.See(A, "old");

        var transitions = world.Step().Transitions;

        var transition = transitions[0];
        Assert.Equal(RotationScenario.KeyOf("old"), transition.Fingerprint);
        Assert.Equal(PinSubject.PublicKey, transition.Subject);
        Assert.Equal(RotationRule.Converted, transition.Rule);
        Assert.Equal(expected == PinState.Active ? PinState.Retired : PinState.Active, world.Pins[0].State);
        Assert.Equal(expected, transition.To);
        Assert.Equal(expected == PinState.Active ? PinStrength.Person : (PinStrength?)null, transition.Strength);
    }

    [Fact]
    public void An_MD5_pin_that_is_seen_is_a_finding_with_the_command()
    {
        world.Pins.Add(new Pin(
            RotationScenario.KeyOf("old", DigestAlgorithm.Md5), PinSubject.Unknown, PinState.Active, PinStrength.Person, world.Now));
        world.See(A, "old");

        var finding = Assert.Single(world.Step().Findings, finding => finding.Kind == FindingKind.PinInOtherDigest);

        Assert.Equal($"policyctl pin approve example.com {RotationScenario.KeyOf("old")}", finding.Remedy);
    }

    [Fact]
    public void A_pin_that_names_nothing_seen_is_not_converted()
    {
        world.Pins.Add(new Pin(
            RotationScenario.KeyOf("old", DigestAlgorithm.Sha1), PinSubject.Unknown, PinState.Active, PinStrength.Person, world.Now));
        world.See(A, "new");

        Assert.DoesNotContain(world.Step().Transitions, transition => transition.Rule == RotationRule.Converted);
    }

    [Fact]
    public void A_pinned_certificate_gets_its_public_key_proposed_beside_it()
    {
        var certificate = RotationScenario.Certificate("old");
        world.Pins.Add(new Pin(
            certificate.Digest(PinSubject.Certificate, DigestAlgorithm.Sha256), PinSubject.Certificate, PinState.Active,
            PinStrength.Person, world.Now));
        world.See(A, certificate);

        var result = world.Step();

        var transition = Assert.Single(result.Transitions);
        Assert.Equal(RotationScenario.KeyOf("old"), transition.Fingerprint);
        Assert.Equal(PinState.Candidate, transition.To);
        Assert.False(result.NewKeySeen);
        Assert.Equal(DestinationVerdict.Ok, result.Verdict);
    }
}
