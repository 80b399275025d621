using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

public sealed class LevelForecastsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_certificate_for_the_domain_delivers_at_secure()
    {
        var strongest = Strongest("example.com", Address("mx.example.com", trusted: true, names: "mx.example.com"));

        Assert.Equal((TlsLevel.Secure, 0, false), (strongest!.Level, strongest.Match.Length, strongest.SendsName));
    }

    [Fact]
    public void A_certificate_for_a_providers_host_delivers_at_secure_with_its_name()
    {
        var strongest = Strongest("example.com", Address("mx.provider.test", trusted: true, names: "*.provider.test"));

        Assert.Equal(TlsLevel.Secure, strongest!.Level);
        Assert.Equal(["mx.provider.test"], strongest.Match);
    }

    [Fact]
    public void The_strongest_level_comes_first()
    {
        var levels = Of("example.com", DnssecStatus.Insecure, Address("mx.example.com", trusted: true, names: "mx.example.com"))
            .Select(forecast => forecast.Level).ToList();

        for (var i = 1; i < levels.Count; i++)
            Assert.DoesNotContain(levels[..i], earlier => levels[i].IsAbove(earlier));
        Assert.True(levels[0].IsAbove(levels[^1]));
    }

    [Fact]
    public void A_self_signed_certificate_is_pinned() =>
        Assert.Equal(TlsLevel.Fingerprint, Strongest("example.com", Address("mx.example.com", trusted: false, names: "mx"))!.Level);

    [Fact]
    public void A_certificate_that_is_only_shown_with_SNI_takes_servername()
    {
        var strongest = LevelForecasts.Strongest(LevelForecasts.Of(
            Resolution("example.com", DnssecStatus.Insecure),
            new ShownAddresses(
                [Address("mx.example.com", trusted: false, names: "default")],
                [Address("mx.example.com", trusted: true, names: "mx.example.com")],
                [Address("mx.example.com", trusted: false, names: "default")]),
            PostfixSettings.Default));

        Assert.Equal((TlsLevel.Secure, true), (strongest!.Level, strongest.SendsName));
    }

    [Fact]
    public void Matching_TLSA_records_deliver_at_dane_only_where_the_MX_records_are_secure()
    {
        var address = Address("mx.example.com", trusted: true, names: "mx.example.com") with
        {
            Tlsa = TlsaState.Usable, Dane = [(KeyAlgorithm.Ecdsa, DaneVerdict.Match)],
        };

        Assert.Equal(TlsLevel.DaneOnly, Strongest("example.com", DnssecStatus.Secure, address)!.Level);
        Assert.Equal(TlsLevel.Secure, Strongest("example.com", DnssecStatus.Insecure, address)!.Level);
        var unknown = Of("example.com", DnssecStatus.Unknown, address)[0];
        Assert.Equal((DestinationVerdict.Unknown, LevelForecasts.Unvouched), (unknown.Verdict, unknown.Why));
        var plain = Address("mx.example.com", ProbeOutcome.StartTlsNotSupported) with { Tlsa = TlsaState.Usable };
        Assert.Equal(DestinationVerdict.Mismatch, Of("example.com", DnssecStatus.Unknown, plain)[0].Verdict);
    }

    [Fact]
    public void Every_level_is_judged_and_neither_verify_nor_dane_proposed()
    {
        var address = Address("mx.example.com", trusted: true, names: "mx.example.com");

        var forecasts = Of("other.test", DnssecStatus.Insecure, address);

        Assert.Equal(Enum.GetValues<TlsLevel>().Where(TlsLevels.IsOfPostfix).Order(), forecasts.Select(forecast => forecast.Level).Distinct().Order());
        Assert.Equal(DestinationVerdict.Ok, forecasts.Single(forecast => forecast.Level == TlsLevel.Verify).Verdict);
        Assert.Equal([MailResult.SentInPlainText], forecasts.Single(forecast => forecast.Level == TlsLevel.None).Mail.Results);
        Assert.Equal(TlsLevel.Secure, LevelForecasts.Strongest(forecasts)!.Level);
        Assert.Equal(["mx.example.com"], LevelForecasts.Strongest(forecasts)!.Match);
    }

    [Fact]
    public void An_address_in_an_MX_record_is_no_name_that_a_policy_can_match()
    {
        var forecasts = Of("example.com", DnssecStatus.Insecure, Address("192.0.2.1", trusted: true, names: "x"));

        Assert.All(forecasts, forecast => Assert.Empty(forecast.Match));
    }

    [Fact]
    public void Without_STARTTLS_there_is_only_may()
    {
        var forecast = Strongest("example.com", Address("mx.example.com", ProbeOutcome.StartTlsNotSupported));

        Assert.Equal(TlsLevel.May, forecast!.Level);
    }

    [Fact]
    public void Encryption_through_one_address_of_two_is_better_than_plain_text_through_both()
    {
        var strongest = Strongest(
            "example.com", Address("mx.example.com", trusted: true, names: "mx.example.com"),
            Address("mx2.example.com", ProbeOutcome.StartTlsNotSupported, last: 2));

        Assert.Equal((TlsLevel.Secure, DestinationVerdict.Degraded), (strongest!.Level, strongest.Verdict));
    }

    [Fact]
    public void Nothing_reached_is_no_level() => Assert.Null(Strongest("example.com", Address("mx.example.com", ProbeOutcome.Timeout)));

    [Fact]
    public void The_names_by_default_of_a_leading_dot_key_are_not_judged()
    {
        var forecasts = LevelForecasts.Of(
            Resolution(".example.com", DnssecStatus.Unknown) with { HostIsGiven = true },
            Shown(Address("mx.example.com", trusted: true, names: "mx.example.com")), PostfixSettings.Default);

        var secure = Assert.Single(forecasts, forecast => forecast.Level == TlsLevel.Secure);
        Assert.Equal(["mx.example.com"], secure.Match);
    }

    private static LevelForecast? Strongest(string key, params ImmutableArray<AddressState> addresses) =>
        Strongest(key, DnssecStatus.Insecure, addresses);

    private static LevelForecast? Strongest(string key, DnssecStatus dnssec, params ImmutableArray<AddressState> addresses) =>
        LevelForecasts.Strongest(Of(key, dnssec, addresses));

    private static ImmutableArray<LevelForecast> Of(string key, DnssecStatus dnssec, params ImmutableArray<AddressState> addresses) => LevelForecasts.Of(
        Resolution(key, dnssec), Shown([.. addresses.Select(address => address with { MxDnssec = dnssec })]), PostfixSettings.Default);

    private static ShownAddresses Shown(params ImmutableArray<AddressState> addresses) => new(addresses, addresses, addresses);

    private static MxResolution Resolution(string key, DnssecStatus dnssec) => new()
    {
        NextHop = NextHop.Parse(key),
        At = Now,
        Port = 25,
        Outcome = DnsOutcome.Found,
        MxDnssec = dnssec,
    };

    internal static AddressState Address(string host, bool trusted, string names) =>
        Address(host, ProbeOutcome.Secured, trusted, names);

    internal static AddressState Address(string host, ProbeOutcome outcome, bool trusted = false, string names = "", int last = 1)
    {
        var target = new ProbeTarget(IPAddress.Parse($"192.0.2.{last}"), 25);
        return new AddressState
        {
            MxHost = host,
            History = new AddressHistory(target).With(new Observation
            {
                Target = target,
                At = Now,
                Outcome = outcome,
                Stage = ProbeStage.Quit,
                Certificates = outcome != ProbeOutcome.Secured ? [] :
                [
                    new PresentedCertificate(
                        RotationScenario.Certificate("k", host: names), [], trusted ? ChainVerdict.Trusted : ChainVerdict.NotTrusted, null, "TLSv1.3", "x"),
                ],
            }),
        };
    }
}
