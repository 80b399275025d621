using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

/// <summary>Entries that stand against what their destination publishes.</summary>
public sealed class EntryConflictsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private static readonly TlsPolicy Sts = new() { Level = TlsLevel.Secure, Match = [".example.com", "example.com"], ServerName = "hostname" };

    private static readonly AddressState Trusted = LevelForecastsTests.Address("mx.example.com", trusted: true, names: "mx.example.com");

    private static readonly AddressState Dane = Trusted with
    {
        Tlsa = TlsaState.Usable, Dane = [(KeyAlgorithm.Ecdsa, DaneVerdict.Match)], MxDnssec = DnssecStatus.Secure,
    };

    [Theory]
    [InlineData(TlsLevel.Fingerprint, true, "pin-beside-dane", "policyctl domain set example.com --level dane-only")]
    [InlineData(TlsLevel.Fingerprint, false, "pin-beside-policy", "policyctl domain set example.com --level secure --match .example.com --match example.com --servername hostname --reason 'its MTA-STS policy is met'")]
    [InlineData(TlsLevel.May, true, "entry-below-published", "policyctl domain set example.com --level dane-only")]
    [InlineData(TlsLevel.Encrypt, true, "entry-below-published", "policyctl domain set example.com --level dane-only")]
    [InlineData(TlsLevel.Encrypt, false, "entry-below-published", "policyctl domain set example.com --level secure --match .example.com --match example.com --servername hostname")]
    [InlineData(TlsLevel.Dane, true, "entry-below-published", "policyctl domain set example.com --level dane-only --reason 'more is published'")]
    [InlineData(TlsLevel.Default, true, "exemption-outlived", "policyctl domain remove example.com --reason 'what it publishes works again'")]
    [InlineData(TlsLevel.Default, false, "exemption-outlived", "policyctl domain remove example.com --reason 'what it publishes works again'")]
    public void Each_conflict_has_the_command_that_settles_it(TlsLevel level, bool isDane, string kind, string remedy)
    {
        var finding = Assert.Single(Of(State(level), isDane ? Dane : Trusted));
        Assert.Equal((kind, "example.com", remedy), (finding.Kind.Name(), finding.Subject, finding.Remedy));
    }

    [Theory]
    [InlineData(TlsLevel.Secure)]
    [InlineData(TlsLevel.Verify)]
    [InlineData(TlsLevel.DaneOnly)]
    [InlineData(TlsLevel.AsDiscovered)]
    public void What_asks_for_as_much_is_none(TlsLevel level) => Assert.Empty(Of(State(level), Dane));

    [Fact]
    public void Nothing_is_proposed_that_would_not_deliver()
    {
        var untrusted = LevelForecastsTests.Address("mx.example.com", trusted: false, names: "mx.example.com");
        Assert.Empty(Of(State(TlsLevel.Encrypt), untrusted));
        Assert.Empty(Of(State(TlsLevel.Encrypt), Trusted, untrusted)); // at every address
        Assert.Empty(Of(State(TlsLevel.Encrypt), LevelForecastsTests.Address("mx.elsewhere.test", trusted: true, names: "mx.elsewhere.test")));
        Assert.Empty(Of(State(TlsLevel.Encrypt) with { Published = null }, Trusted));
        Assert.Empty(Of(State(TlsLevel.Encrypt) with { Published = new TlsPolicy { Level = TlsLevel.Dane } }, Trusted));
        Assert.Empty(Of(State(TlsLevel.Fingerprint) with { Published = null }, Dane with { Dane = [(KeyAlgorithm.Ecdsa, DaneVerdict.Mismatch)] }));
    }

    [Fact]
    public void Nor_where_a_person_has_decided_otherwise()
    {
        foreach (var level in new[] { TlsLevel.Fingerprint, TlsLevel.Encrypt, TlsLevel.Default })
            Assert.Empty(Of(State(level) with { Mode = PinMode.Locked }, Dane));
        Assert.Empty(Of(State(TlsLevel.Encrypt) with { Observe = true }, Dane));
        Assert.Empty(Of(State(TlsLevel.Encrypt) with { IsTemporary = true }, Dane));
        Assert.Empty(Of(State(TlsLevel.Default) with { ExemptSince = Now.AddDays(-89) }, Dane));
        Assert.Empty(Of(State(TlsLevel.Default) with { ExemptSince = null }, Dane));
        Assert.Empty(Of(State(TlsLevel.Encrypt, ".example.com"), Dane));
    }

    private static DestinationState State(TlsLevel level, string key = "example.com") => new()
    {
        Key = NextHop.Parse(key),
        Policy = new TlsPolicy { Level = level },
        Mode = PinMode.Assist,
        Pins = [],
        Published = Sts,
        ExemptSince = Now.AddDays(-90),
    };

    private static List<Finding> Of(DestinationState state, params ImmutableArray<AddressState> addresses) =>
        [.. EntryConflicts.Of(state, addresses, PostfixSettings.Default, Now)];
}
