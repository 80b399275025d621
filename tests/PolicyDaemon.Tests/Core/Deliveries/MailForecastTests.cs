using System.Net;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Tests.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Deliveries;

/// <summary>The way of a mail over several addresses: MX preference, chance, and smtp_mx_address_limit.</summary>
public sealed class MailForecastTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// Addresses are written as preference, family and what they do to mail at may: 10+ sends over TLS, 10~ in plain text, 10- is skipped,
    /// 10! returns, 10? fails at TLS, 10x is not known; with a 6 in front over IPv6.
    /// </summary>
    [Theory]
    [InlineData("10+", "sent-over-tls", false)]
    [InlineData("10~", "sent-in-plain-text", false)]
    [InlineData("10-", "deferred", false)]
    [InlineData("10!", "returned", false)]
    [InlineData("10x", "unknown", false)]
    [InlineData("10- 20+", "sent-over-tls", false)]
    [InlineData("10! 20+", "returned", false)] // a 5xx ends it, whatever other hosts there are
    [InlineData("20! 10+", "sent-over-tls", false)]
    [InlineData("10+ 10~", "sent-over-tls sent-in-plain-text", false)] // chance
    [InlineData("10+ 10!", "sent-over-tls returned", false)]
    [InlineData("10? ", "sent-in-plain-text", true)]
    [InlineData("10? 20+", "sent-over-tls", false)]
    [InlineData("10? 20-", "sent-in-plain-text", true)]
    [InlineData("10x 20+", "unknown", false)]
    [InlineData("10- 20- 30- 40- 50+", "sent-over-tls", false)]
    [InlineData("10- 20- 30- 40- 50- 60+", "deferred", false)]
    [InlineData("10- 10- 10- 10- 10- 10+", "sent-over-tls deferred", true)] // five of six, at random
    [InlineData("10- 10- 10- 10- 10+ 10+", "sent-over-tls", false)]
    [InlineData("10- 10- 10- 10- 20- 20+", "sent-over-tls deferred", true)]
    [InlineData("10- 10- 10- 10- 10- 6:10+", "sent-over-tls", false)] // the other family keeps its place
    [InlineData("10- 10- 10- 6:20- 6:20- 6:30+", "deferred", false)] // and no more than its share
    [InlineData("10- 10- 6:10- 6:10- 10- 6:20+", "sent-over-tls deferred", true)] // of five places, the family that comes first has three
    [InlineData("10- 10- 10- 6:20- 6:20- 6:20+", "sent-over-tls deferred", true)]
    public void An_attempt_ends_at_the_first_address_that_takes_the_mail_or_returns_it(string addresses, string results, bool isAfterWait)
    {
        var forecast = Of(addresses, limit: 5);

        Assert.Equal(results.Split(' '), forecast.Results.Select(result => result.Name()));
        Assert.Equal(isAfterWait, forecast.IsAfterWait);
    }

    [Fact]
    public void Without_a_limit_every_address_is_tried()
    {
        Assert.Equal([MailResult.SentOverTls], Of("10- 20- 30- 40- 50- 60+", limit: 0).Results);
        Assert.Equal((1, 0), (Of("10- 20- 30- 40- 50- 60+", limit: 5).NotTried, Of("10- 20- 30- 40- 50- 60+", limit: 0).NotTried));
    }

    [Theory]
    [InlineData("10- 6:10+ 10!", AddressFamilies.IPv4, "sent-over-tls returned")] // the limit of two keeps one of each family
    [InlineData("10! 6:10+", AddressFamilies.IPv4, "returned")]
    [InlineData("10! 6:10+", AddressFamilies.IPv6, "sent-over-tls")]
    [InlineData("10! 6:10+", AddressFamilies.Any, "sent-over-tls returned")]
    [InlineData("6:10+ 20!", AddressFamilies.IPv4, "sent-over-tls")] // MX preference counts more
    [InlineData("10- 10- 6:10- 6:10+", AddressFamilies.IPv6, "sent-over-tls deferred")]
    public void The_preferred_family_comes_first_among_addresses_of_one_preference(string addresses, AddressFamilies preferred, string results) =>
        Assert.Equal(
            results.Split(' '),
            Of(addresses, PostfixSettings.Default with { MxAddressLimit = 2, AddressPreference = preferred }).Results.Select(result => result.Name()));

    [Fact]
    public void Addresses_of_a_family_that_Postfix_does_not_use_are_as_if_they_were_not_there()
    {
        var forecast = Of("10- 6:10+ 10-", PostfixSettings.Default with { InetProtocols = AddressFamilies.IPv4 });

        Assert.Equal([MailResult.Deferred], forecast.Results);
        Assert.Equal(2, forecast.Addresses.Length);
    }

    [Fact]
    public void Where_there_are_only_such_addresses_the_mail_is_returned()
    {
        var forecast = Of("6:10+", PostfixSettings.Default with { InetProtocols = AddressFamilies.IPv4 });

        Assert.Equal([MailResult.Returned], forecast.Results);
        Assert.Equal(DestinationVerdict.Mismatch, forecast.Verdict());
        Assert.Equal([MailResult.Unknown], Of("", PostfixSettings.Default).Results);
    }

    [Fact]
    public void What_is_beyond_the_limit_makes_the_verdict_no_better() =>
        Assert.Equal(DestinationVerdict.Mismatch, Of("10b 20b 30b 40b 50b 60+", limit: 5, TlsLevel.Encrypt).Verdict());

    [Fact]
    public void Chance_is_degraded() => Assert.Equal(DestinationVerdict.Degraded, Of("10- 10- 10- 10- 10- 10+", limit: 5).Verdict());

    private static MailForecast Of(string addresses, int limit, TlsLevel level = TlsLevel.May) =>
        Of(addresses, PostfixSettings.Default with { MxAddressLimit = limit }, level);

    private static MailForecast Of(string addresses, PostfixSettings postfix, TlsLevel level = TlsLevel.May) => MailForecast.Of(
        new DeliveryRules(new DeliveryPolicy(level, NextHop.Parse("example.com")), postfix),
        addresses.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Address).ToList());

    private static AddressState Address(string text, int number)
    {
        var isIPv6 = text.StartsWith("6:", StringComparison.Ordinal);
        var target = new ProbeTarget(IPAddress.Parse(isIPv6 ? $"2001:db8::{number + 1}" : $"192.0.2.{number + 1}"), 25);
        var outcome = text[^1] switch
        {
            '+' => ProbeOutcome.Secured,
            '~' or 'b' => ProbeOutcome.StartTlsNotSupported,
            '-' => ProbeOutcome.ConnectionRefused,
            '!' => ProbeOutcome.EhloRefused,
            '?' => ProbeOutcome.HandshakeFailed,
            _ => ProbeOutcome.ReplyTooLong,
        };
        return new AddressState
        {
            MxHost = "mx.example.com",
            Preference = int.Parse(text[(isIPv6 ? 2 : 0)..^1], System.Globalization.CultureInfo.InvariantCulture),
            History = new AddressHistory(target).With(new Observation
            {
                Target = target,
                At = Now,
                Outcome = outcome,
                Stage = ProbeStage.Quit,
                Certificates = outcome != ProbeOutcome.Secured ? [] :
                    [new PresentedCertificate(RotationScenario.Certificate("any"), [], ChainVerdict.Trusted, null, "", "")],
            }),
        };
    }
}
