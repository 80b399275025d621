using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

public class EvidenceTests
{
    private static readonly PresentedAt ByDane = At(DaneVerdict.Match, ChainVerdict.NotTrusted);
    private static readonly PresentedAt ByChain = At(DaneVerdict.None, ChainVerdict.Trusted);
    private static readonly PresentedAt ByNothing = At(DaneVerdict.None, ChainVerdict.NotTrusted);

    [Fact]
    public void Evidence_of_a_key_is_what_every_place_of_it_has_in_common()
    {
        Assert.Equal(PinStrength.Dane, Of(ByDane, ByDane));
        Assert.Equal(PinStrength.WebPki, Of(ByChain, At(DaneVerdict.Match, ChainVerdict.Trusted)));
        Assert.Null(Of(ByDane, ByNothing));
        Assert.Null(Of(ByDane, ByChain));
        Assert.Null(Of());
    }

    [Fact]
    public void Evidence_needs_an_MX_name_that_is_authenticated()
    {
        Assert.Null(Evidence.OfEvery([ByDane], DnssecStatus.Insecure, hostIsGiven: false));
        Assert.Null(Evidence.OfEvery([ByDane], DnssecStatus.Unknown, hostIsGiven: false));
        Assert.Equal(PinStrength.Dane, Evidence.OfEvery([ByDane], DnssecStatus.Unknown, hostIsGiven: true));
    }

    [Fact]
    public void A_trusted_chain_for_another_name_is_none() => Assert.Null(Of(ByChain with { MxHost = "mx.example.net" }));

    [Theory]
    [InlineData(112, 112, false)]
    [InlineData(128, 112, false)]
    [InlineData(112, 128, true)]
    [InlineData(80, 0, true)]
    public void A_key_is_weak_by_itself_or_beside_the_one_it_would_follow(int bits, int trusted, bool weak)
    {
        var certificate = RotationScenario.Certificate("x", algorithm: KeyAlgorithm.Rsa, bits: bits switch { 80 => 1024, 112 => 2048, _ => 3072 });

        Assert.Equal(weak, KeyStrength.IsWeak(certificate, trusted, "the one before", out _));
        Assert.Equal(bits >= 112, KeyStrength.IsAcceptable(certificate));
    }

    [Theory]
    [InlineData(DigestAlgorithm.Sha1, true)]
    [InlineData(DigestAlgorithm.Sha512, true)]
    [InlineData(DigestAlgorithm.Md5, false)]
    public void A_pin_in_another_digest_is_carried_over_and_retired(DigestAlgorithm digest, bool isProof)
    {
        var pin = new Pin(RotationScenario.KeyOf("x", digest), PinSubject.Unknown, PinState.Standby, PinStrength.Dane, DateTimeOffset.UnixEpoch);
        var certificate = RotationScenario.Certificate("x");
        ImmutableArray<Pin> pins = [pin, pin with { Fingerprint = RotationScenario.KeyOf("y", digest) }];

        Assert.True(pin.NeedsConversion(DigestAlgorithm.Sha256));
        Assert.False(pin.NeedsConversion(digest));
        Assert.Equal(isProof, pin.IsProof());
        Assert.Equal(
            pin with { Fingerprint = RotationScenario.KeyOf("x"), Subject = PinSubject.PublicKey, State = PinState.Active },
            pin.Convert(certificate, DigestAlgorithm.Sha256));
        Assert.Null(pin.Convert(RotationScenario.Certificate("z"), DigestAlgorithm.Sha256));
        Assert.Equal(
            [PinState.Retired, PinState.Standby],
            pins.RetireConverted([certificate], DigestAlgorithm.Sha256, DateTimeOffset.UnixEpoch).Select(one => one.State));
    }

    private static PinStrength? Of(params PresentedAt[] places) => Evidence.OfEvery(places, DnssecStatus.Secure, hostIsGiven: false);

    private static PresentedAt At(DaneVerdict dane, ChainVerdict chain) =>
        new("mx.example", RotationScenario.Certificate("x"), dane, chain);
}
