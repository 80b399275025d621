using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

public sealed class LevelVerdictTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly NextHop NextHop = NextHop.Parse("example.com");

    [Theory]
    [InlineData(TlsLevel.None, ProbeOutcome.StartTlsNotSupported, null)]
    [InlineData(TlsLevel.May, ProbeOutcome.StartTlsNotSupported, null)]
    [InlineData(TlsLevel.Encrypt, ProbeOutcome.StartTlsNotSupported, ProbeOutcome.StartTlsNotSupported)]
    [InlineData(TlsLevel.Encrypt, ProbeOutcome.HandshakeFailed, ProbeOutcome.HandshakeFailed)]
    [InlineData(TlsLevel.Encrypt, ProbeOutcome.Secured, null)]
    [InlineData(TlsLevel.Encrypt, ProbeOutcome.TlsTooOld, null)]
    [InlineData(TlsLevel.Encrypt, ProbeOutcome.TlsAnonymous, null)]
    [InlineData(TlsLevel.Secure, ProbeOutcome.TlsTooOld, ProbeOutcome.TlsTooOld)]
    [InlineData(TlsLevel.Verify, ProbeOutcome.TlsAnonymous, ProbeOutcome.TlsAnonymous)]
    [InlineData(TlsLevel.Encrypt, ProbeOutcome.Timeout, null)]
    [InlineData(TlsLevel.DaneOnly, ProbeOutcome.Secured, ProbeOutcome.DaneRequired)]
    [InlineData(TlsLevel.Dane, ProbeOutcome.Secured, null)]
    [InlineData(TlsLevel.Secure, ProbeOutcome.Secured, ProbeOutcome.CertificateNotTrusted)]
    public void A_level_refuses_what_it_does_not_meet(TlsLevel level, ProbeOutcome seen, ProbeOutcome? refusal)
    {
        Assert.Equal(refusal, new LevelVerdict(level, NextHop, []).Refusal(Address(seen, trusted: false, "mx.example.com")));
    }

    [Theory]
    [InlineData("example.com", "", true)]
    [InlineData("mx.example.com", "", true)] // dot-nexthop
    [InlineData("mx.provider.test", "", false)]
    [InlineData("mx.provider.test", "hostname", true)]
    [InlineData("mx.provider.test", "mx.provider.test", true)]
    [InlineData("a.b.provider.test", ".provider.test", true)]
    [InlineData("provider.test", ".provider.test", false)]
    public void At_secure_the_names_are_those_of_match_or_of_the_next_hop(string certificate, string match, bool accepted)
    {
        var judgement = new LevelVerdict(TlsLevel.Secure, NextHop, match.Length == 0 ? [] : [match]);
        var address = Address(ProbeOutcome.Secured, trusted: true, certificate) with { MxHost = "mx.provider.test" };

        Assert.Equal(accepted ? null : ProbeOutcome.CertificateHostMismatch, judgement.Refusal(address));
    }

    [Fact]
    public void At_secure_an_expired_certificate_is_called_so()
    {
        var address = Address(ProbeOutcome.Secured, trusted: false, "example.com", at: Now.AddYears(10));

        Assert.Equal(ProbeOutcome.CertificateExpired, new LevelVerdict(TlsLevel.Secure, NextHop, []).Refusal(address));
    }

    [Fact]
    public void The_finding_names_the_addresses_the_reason_and_a_result_type()
    {
        var judgement = new LevelVerdict(TlsLevel.Encrypt, NextHop, []);

        var finding = Assert.Single(new DestinationFindings("example.com", Now).OfLevel(
            judgement,
            [Address(ProbeOutcome.Secured, false, "x"), Address(ProbeOutcome.StartTlsNotSupported, false, "x", "192.0.2.2")],
            DigestAlgorithm.Sha256));

        Assert.Equal(FindingKind.LevelNotMet, finding.Kind);
        Assert.Equal("starttls-not-supported", finding.Outcome?.ResultType());
        Assert.Contains("mx.example.com [192.0.2.2] (starttls-not-supported)", finding.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DestinationVerdict.Ok, ProbeOutcome.Secured, ProbeOutcome.Timeout)]
    [InlineData(DestinationVerdict.Degraded, ProbeOutcome.Secured, ProbeOutcome.StartTlsNotSupported)]
    [InlineData(DestinationVerdict.Mismatch, ProbeOutcome.HandshakeFailed, ProbeOutcome.Timeout)]
    [InlineData(DestinationVerdict.Unreachable, ProbeOutcome.ConnectionRefused, ProbeOutcome.Timeout)]
    public void The_verdict_is_over_all_addresses(DestinationVerdict expected, ProbeOutcome one, ProbeOutcome other)
    {
        var judgement = new LevelVerdict(TlsLevel.Encrypt, NextHop, []);

        Assert.Equal(expected, judgement.Verdict([Address(one, false, "x"), Address(other, false, "x", "192.0.2.2")]));
        Assert.Equal(DestinationVerdict.Unknown, judgement.Verdict([]));
    }

    [Fact]
    public void At_dane_only_nothing_is_said_of_records_that_no_trusted_resolver_vouches_for()
    {
        var judgement = new LevelVerdict(TlsLevel.DaneOnly, NextHop, []);
        AddressState[] addresses =
            [Address(ProbeOutcome.Secured, false, "x") with { Dane = [(KeyAlgorithm.Ecdsa, DaneVerdict.Unjudged)] }];

        Assert.Equal(DestinationVerdict.Unknown, judgement.Verdict(addresses));
        Assert.Empty(new DestinationFindings("example.com", Now).OfLevel(judgement, [.. addresses], DigestAlgorithm.Sha256));
        Assert.Equal(DestinationVerdict.Mismatch, judgement.Verdict([Address(ProbeOutcome.StartTlsNotSupported, false, "x")]));
        Assert.Equal(DestinationVerdict.Ok, new LevelVerdict(TlsLevel.Dane, NextHop, []).Verdict(addresses));
    }

    private static AddressState Address(
        ProbeOutcome outcome, bool trusted, string name, string address = "192.0.2.1", DateTimeOffset? at = null)
    {
        var target = new ProbeTarget(IPAddress.Parse(address), 25);
        return new AddressState
        {
            MxHost = "mx.example.com",
            History = new AddressHistory(target).With(new Observation
            {
                Target = target,
                At = at ?? Now,
                Outcome = outcome,
                Stage = ProbeStage.Quit,
                Certificates =
                [
                    new PresentedCertificate(
                        RotationScenario.Certificate("any", host: name), [], trusted ? ChainVerdict.Trusted : ChainVerdict.NotTrusted, null, "", ""),
                ],
            }),
        };
    }
}
