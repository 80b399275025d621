using System.Net;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Tests.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Deliveries;

/// <summary>What Postfix does with a mail at one address. Each row is what a real Postfix was seen to do.</summary>
public sealed class DeliveryRulesTests
{
    private const AddressResult Tls = AddressResult.SentOverTls;
    private const AddressResult Plain = AddressResult.SentInPlainText;
    private const AddressResult Skipped = AddressResult.Skipped;
    private const AddressResult Returned = AddressResult.Returned;
    private const AddressResult Unknown = AddressResult.Unknown;

    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly NextHop NextHop = NextHop.Parse("example.com");

    [Theory]
    [InlineData(ProbeOutcome.Secured, Plain, Tls, Tls, Tls)]
    [InlineData(ProbeOutcome.TlsTooOld, Plain, Tls, Tls, Skipped)]
    [InlineData(ProbeOutcome.TlsAnonymous, Plain, Tls, Tls, Skipped)]
    [InlineData(ProbeOutcome.StartTlsNotSupported, Plain, Plain, Skipped, Skipped)]
    [InlineData(ProbeOutcome.StartTlsRefused, Plain, Plain, Skipped, Skipped)]
    [InlineData(ProbeOutcome.HandshakeFailed, Plain, Skipped, Skipped, Skipped)]
    [InlineData(ProbeOutcome.EhloRefused, Returned, Returned, Returned, Returned)]
    [InlineData(ProbeOutcome.GreetingTemporary, Skipped, Skipped, Skipped, Skipped)]
    [InlineData(ProbeOutcome.GreetingPermanent, Skipped, Skipped, Skipped, Skipped)]
    [InlineData(ProbeOutcome.ConnectionRefused, Skipped, Skipped, Skipped, Skipped)]
    [InlineData(ProbeOutcome.Timeout, Skipped, Skipped, Skipped, Skipped)]
    [InlineData(ProbeOutcome.ProtocolError, Skipped, Skipped, Skipped, Skipped)]
    [InlineData(ProbeOutcome.ReplyTooLong, Unknown, Unknown, Unknown, Unknown)]
    [InlineData(ProbeOutcome.AddressNotAllowed, Unknown, Unknown, Unknown, Unknown)]
    public void The_dialogue_decides_with_the_level(
        ProbeOutcome outcome, AddressResult none, AddressResult may, AddressResult encrypt, AddressResult fingerprint)
    {
        var address = Address(outcome);

        Assert.Equal([none, may, encrypt, fingerprint], new[] { TlsLevel.None, TlsLevel.May, TlsLevel.Encrypt, TlsLevel.Fingerprint }.Select(level => Rules(level).At(address).Result));
    }

    [Fact]
    public void At_may_a_TLS_that_failed_is_done_without_in_a_later_attempt()
    {
        Assert.Equal(Plain, Rules(TlsLevel.May).At(Address(ProbeOutcome.HandshakeFailed)).Later);
        Assert.Equal(Skipped, Rules(TlsLevel.Encrypt).At(Address(ProbeOutcome.HandshakeFailed)).Later);
        Assert.Equal(Plain, Rules(TlsLevel.May).At(Seen(ProbeOutcome.ConnectionLost, stage: ProbeStage.Handshake)).Later);
        Assert.Equal(Skipped, Rules(TlsLevel.May).At(Seen(ProbeOutcome.ConnectionLost, stage: ProbeStage.StartTls)).Later);
    }

    [Theory]
    [InlineData(ProbeOutcome.Secured, Tls, Tls, Tls)]
    [InlineData(ProbeOutcome.TlsTooOld, Tls, Tls, Skipped)]
    [InlineData(ProbeOutcome.HandshakeFailed, Skipped, Skipped, Skipped)]
    public void Behind_injected_text_the_dialogue_decides_all_the_same(ProbeOutcome met, AddressResult may, AddressResult encrypt, AddressResult fingerprint)
    {
        var address = Seen(ProbeOutcome.Secured);
        address = address with
        {
            History = address.History with
            {
                LastOutcome = ProbeOutcome.PlaintextInjected,
                LastDialogue = address.History.LastDialogue! with { TlsVersion = null, BehindInjection = met },
            },
        };

        Assert.Equal([may, encrypt, fingerprint], new[] { TlsLevel.May, TlsLevel.Encrypt, TlsLevel.Fingerprint }.Select(level => Rules(level).At(address).Result));
    }

    [Theory]
    [InlineData(454, Plain, Skipped)]
    [InlineData(501, Plain, Returned)]
    [InlineData(334, Plain, Returned)]
    public void A_reply_to_STARTTLS_other_than_4xx_returns_the_mail_where_TLS_must_be(int code, AddressResult may, AddressResult encrypt)
    {
        var address = Seen(ProbeOutcome.StartTlsRefused, code: code);

        Assert.Equal((may, encrypt), (Rules(TlsLevel.May).At(address).Result, Rules(TlsLevel.Encrypt).At(address).Result));
    }

    [Theory]
    [InlineData(454, Skipped, Skipped)]
    [InlineData(501, Skipped, Returned)]
    public void A_server_that_closes_after_its_refusal_takes_no_mail_in_the_clear(int code, AddressResult may, AddressResult encrypt)
    {
        var address = Seen(ProbeOutcome.ConnectionLost, stage: ProbeStage.StartTls, code: code);

        Assert.Equal(
            (Plain, may, encrypt),
            (Rules(TlsLevel.None).At(address).Result, Rules(TlsLevel.May).At(address).Result, Rules(TlsLevel.Encrypt).At(address).Result));
    }

    [Theory]
    [InlineData(ProbeOutcome.GreetingTemporary, Skipped, Skipped)]
    [InlineData(ProbeOutcome.EhloRefused, Returned, Returned)]
    [InlineData(ProbeOutcome.ConnectionLost, Skipped, Plain)]
    public void What_comes_after_the_handshake_counts(ProbeOutcome after, AddressResult result, AddressResult later)
    {
        var delivery = Rules(TlsLevel.May).At(Seen(ProbeOutcome.Secured, after: after));

        Assert.Equal((result, later), (delivery.Result, delivery.Later));
    }

    [Theory]
    [InlineData(">=TLSv1", ">=TLSv1.2", Tls, Skipped)]
    [InlineData(">=TLSv1.2", ">=TLSv1", Skipped, Tls)]
    [InlineData("!SSLv2:!SSLv3:!TLSv1:!TLSv1.1", ">=TLSv1", Skipped, Tls)]
    public void The_versions_of_main_cf_count(string protocols, string mandatory, AddressResult may, AddressResult encrypt)
    {
        var settings = PostfixSettings.Default with { Protocols = protocols, MandatoryProtocols = mandatory };
        var address = Address(ProbeOutcome.TlsTooOld);

        Assert.Equal(
            (may, encrypt),
            (new DeliveryRules(new DeliveryPolicy(TlsLevel.May, NextHop), settings).At(address).Result,
            new DeliveryRules(new DeliveryPolicy(TlsLevel.Encrypt, NextHop), settings).At(address).Result));
        Assert.Equal(Skipped, new DeliveryRules(new DeliveryPolicy(TlsLevel.Encrypt, NextHop) { Protocols = ">=TLSv1.2" }, PostfixSettings.Default).At(address).Result);
    }

    [Theory]
    [InlineData("TLSv1.3", ">=TLSv1.2", Tls)]
    [InlineData("TLSv1.2", ">=TLSv1.3", Skipped)]
    [InlineData("TLSv1", ">=TLSv1.1", Skipped)]
    [InlineData("TLSv1.1", ">=TLSv1.1", Tls)]
    [InlineData("TLSv1.3", "TLSv1.2:TLSv1.3", Tls)]
    [InlineData("TLSv1.2", "<=TLSv1.2", Tls)]
    [InlineData("TLSv1.3", "<=TLSv1.2", Unknown)] // it may speak 1.2, too
    [InlineData("TLSv1.3", "<=TLSv1.2", Tls, true)]
    [InlineData("TLSv1.3", "<=TLSv1.2", Skipped, false)]
    [InlineData("TLSv1.3", "<=TLSv1.1", Unknown, true)]
    [InlineData("TLSv1", "", Tls)]
    public void The_version_that_was_negotiated_is_compared_with_the_range_of_main_cf(
        string negotiated, string mandatory, AddressResult expected, bool? speaksTls12 = null)
    {
        var address = Address(ProbeOutcome.Secured);
        address = address with { History = address.History with { LastDialogue = address.History.LastDialogue! with { TlsVersion = negotiated, SpeaksTls12 = speaksTls12 } } };

        var delivery = new DeliveryRules(new DeliveryPolicy(TlsLevel.Encrypt, NextHop), PostfixSettings.Default with { MandatoryProtocols = mandatory }).At(address);

        Assert.Equal((expected, expected == Unknown), (delivery.Result, delivery.Because is not null));
    }

    [Theory]
    [InlineData("example.com", "", true)]
    [InlineData("mx.example.com", "", true)] // dot-nexthop
    [InlineData("mx.provider.test", "", false)]
    [InlineData("mx.provider.test", "hostname", true)]
    [InlineData("mx.provider.test", "mx.provider.test", true)]
    [InlineData("a.b.provider.test", ".provider.test", true)]
    [InlineData("*.provider.test", ".provider.test", true)]
    [InlineData("provider.test", ".provider.test", false)]
    [InlineData("*.test", "provider.test", false)] // no wildcard right below a top-level domain
    public void At_secure_the_names_are_those_of_match_or_of_the_next_hop(string certificate, string match, bool accepted)
    {
        var address = Address(ProbeOutcome.Secured, trusted: true, certificate) with { MxHost = "mx.provider.test" };

        Assert.Equal(accepted ? null : ProbeOutcome.CertificateHostMismatch, Rules(TlsLevel.Secure, match).At(address).Why);
    }

    [Theory]
    [InlineData(TlsLevel.Verify, "x", "192.0.2.1", null)]
    [InlineData(TlsLevel.Verify, "192.0.2.1", null, ProbeOutcome.CertificateHostMismatch)]
    [InlineData(TlsLevel.Verify, "x", "192.0.2.2", ProbeOutcome.CertificateHostMismatch)]
    [InlineData(TlsLevel.Secure, "x", "192.0.2.1", ProbeOutcome.CertificateHostMismatch)] // a name below the next hop must be there, too
    [InlineData(TlsLevel.Secure, "mx.192.0.2.1", "192.0.2.1", null)]
    public void An_address_is_matched_as_an_address(TlsLevel level, string name, string? literal, ProbeOutcome? refusal)
    {
        var certificate = RotationScenario.Certificate("any", host: name);
        var address = Address(ProbeOutcome.Secured, trusted: true, certificate: literal is null ? certificate : WithAddress(certificate, literal))
            with { MxHost = "192.0.2.1" };
        var rules = new DeliveryRules(new DeliveryPolicy(level, NextHop.Parse("[192.0.2.1]")), PostfixSettings.Default);

        Assert.Equal(refusal, rules.At(address).Why);
    }

    [Fact]
    public void A_chain_that_is_not_trusted_has_a_reason()
    {
        Assert.Equal(ProbeOutcome.CertificateNotTrusted, Rules(TlsLevel.Verify).At(Address(ProbeOutcome.Secured)).Why);
        Assert.Equal(ProbeOutcome.CertificateExpired, Rules(TlsLevel.Secure).At(Address(ProbeOutcome.Secured, at: Now.AddYears(10))).Why);
    }

    [Fact]
    public void A_key_that_OpenSSL_does_not_take_is_too_weak_whoever_vouches_for_it()
    {
        var weak = RotationScenario.Certificate("weak", algorithm: KeyAlgorithm.Rsa, bits: 512, host: "example.com");

        foreach (var level in new[] { TlsLevel.Fingerprint, TlsLevel.Secure })
            Assert.Equal(ProbeOutcome.CertificateTooWeak, Rules(level).At(Address(ProbeOutcome.Secured, trusted: true, certificate: weak)).Why);
        Assert.Equal(Tls, Rules(TlsLevel.Encrypt).At(Address(ProbeOutcome.Secured, certificate: weak)).Result);
    }

    [Fact]
    public void Of_two_certificates_the_one_that_is_negotiated_counts_and_the_other_is_noted()
    {
        var (good, bad) = (RotationScenario.Certificate("ecdsa", host: "example.com"), RotationScenario.Certificate("rsa", algorithm: KeyAlgorithm.Rsa, bits: 2048));
        var rules = new DeliveryRules(new DeliveryPolicy(TlsLevel.Fingerprint, NextHop) { IsPinned = good.Equals }, PostfixSettings.Default);

        var first = rules.At(Address(ProbeOutcome.Secured, certificates: [good, bad]));
        var address = Address(ProbeOutcome.Secured, certificates: [bad, good]);
        var second = rules.At(address);
        // As a store of an older version hands it out, which does not know what was negotiated: ECDSA, as OpenSSL prefers it.
        var stored = rules.At(address with { History = address.History with { LastDialogue = null } });

        Assert.Equal((Tls, ProbeOutcome.PinMismatch), (first.Result, first.OtherCertificate));
        Assert.Equal((Skipped, ProbeOutcome.PinMismatch), (second.Result, second.Why));
        Assert.Equal(Tls, stored.Result);
    }

    [Fact]
    public void Text_in_the_clear_behind_STARTTLS_is_an_alarm_and_no_obstacle()
    {
        var address = Address(ProbeOutcome.Secured, trusted: true, name: "example.com");
        var injected = address with { History = address.History with { LastOutcome = ProbeOutcome.PlaintextInjected, LastAttempt = Now.AddHours(1) } };

        Assert.Equal(Tls, Rules(TlsLevel.Encrypt).At(injected).Result);
        Assert.Equal(Tls, Rules(TlsLevel.Secure).At(injected).Result);
        Assert.Equal(Unknown, Rules(TlsLevel.Secure).At(Address(ProbeOutcome.PlaintextInjected)).Result);
    }

    [Theory]
    [InlineData(TlsaState.None, Tls, null, Skipped, ProbeOutcome.DaneRequired)]
    [InlineData(TlsaState.Unusable, Tls, null, Skipped, ProbeOutcome.TlsaInvalid)]
    [InlineData(TlsaState.Failed, Skipped, ProbeOutcome.DnsFailure, Skipped, ProbeOutcome.DnsFailure)]
    [InlineData(TlsaState.Usable, Skipped, ProbeOutcome.TlsaMismatch, Skipped, ProbeOutcome.TlsaMismatch)]
    [InlineData(TlsaState.NoneKnown, Tls, null, Unknown, ProbeOutcome.DaneRequired)]
    [InlineData(TlsaState.Unjudged, Unknown, ProbeOutcome.DaneRequired, Unknown, ProbeOutcome.DaneRequired)]
    public void TLSA_records_decide_what_is_left_of_dane(
        TlsaState state, AddressResult dane, ProbeOutcome? whyDane, AddressResult only, ProbeOutcome? whyOnly)
    {
        var address = Address(ProbeOutcome.Secured) with { Tlsa = state };

        Assert.Equal(new AddressDelivery(dane, whyDane), Rules(TlsLevel.Dane).At(address));
        Assert.Equal(new AddressDelivery(only, whyOnly), Rules(TlsLevel.DaneOnly).At(address));
    }

    [Theory]
    [InlineData(TlsaState.None, Plain)]
    [InlineData(TlsaState.NoneKnown, Plain)]
    [InlineData(TlsaState.Unusable, Skipped)]
    [InlineData(TlsaState.Usable, Skipped)]
    public void At_dane_a_server_without_STARTTLS_gets_plain_text_where_there_are_no_records(TlsaState state, AddressResult result) =>
        Assert.Equal(result, Rules(TlsLevel.Dane).At(Address(ProbeOutcome.StartTlsNotSupported) with { Tlsa = state }).Result);

    [Theory]
    [InlineData(TlsLevel.May, Tls, Plain)]
    [InlineData(TlsLevel.Encrypt, Tls, Skipped)]
    [InlineData(TlsLevel.Dane, Skipped, Skipped)]
    public void Records_behind_insecure_MX_records_count_as_main_cf_says(TlsLevel policy, AddressResult mismatch, AddressResult withoutTls)
    {
        var rules = new DeliveryRules(new DeliveryPolicy(TlsLevel.Dane, NextHop), PostfixSettings.Default with { DaneInsecureMxPolicy = policy });
        AddressState At(ProbeOutcome outcome) => Address(outcome) with { Tlsa = TlsaState.Usable, MxDnssec = DnssecStatus.Insecure };

        Assert.Equal((mismatch, withoutTls), (rules.At(At(ProbeOutcome.Secured)).Result, rules.At(At(ProbeOutcome.StartTlsNotSupported)).Result));
        Assert.Equal(ProbeOutcome.DaneRequired, Rules(TlsLevel.DaneOnly).At(At(ProbeOutcome.Secured)).Why);
    }

    [Fact]
    public void What_an_entrys_own_authorities_say_is_not_known()
    {
        var rules = new DeliveryRules(new DeliveryPolicy(TlsLevel.Secure, NextHop) { HasOwnAuthorities = true }, PostfixSettings.Default);

        Assert.Equal(Unknown, rules.At(Address(ProbeOutcome.Secured, name: "example.com")).Result);
        Assert.Equal((Skipped, ProbeOutcome.CertificateHostMismatch), (rules.At(Address(ProbeOutcome.Secured, name: "x")).Result, rules.At(Address(ProbeOutcome.Secured, name: "x")).Why));
    }

    [Fact]
    public void The_finding_names_the_addresses_the_reason_and_a_result_type()
    {
        var forecast = MailForecast.Of(
            Rules(TlsLevel.Encrypt), [Address(ProbeOutcome.Secured), Address(ProbeOutcome.StartTlsNotSupported, address: "192.0.2.2")]);

        var finding = Assert.Single(new DestinationFindings("example.com", Now).OfLevel(forecast, forecast, DigestAlgorithm.Sha256));

        Assert.Equal(FindingKind.LevelNotMet, finding.Kind);
        Assert.Equal("starttls-not-supported", finding.Outcome?.ResultType());
        Assert.Contains("mx.example.com [192.0.2.2] (starttls-not-supported)", finding.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(454, "no address that Postfix tries takes mail, it waits: mx.example.com [192.0.2.1] (starttls-refused)")]
    [InlineData(501, "no address that Postfix tries takes mail, it is returned to its sender: mx.example.com [192.0.2.1] (starttls-refused)")]
    public void A_refused_STARTTLS_is_told_whatever_the_server_showed_before(int replyCode, string detail)
    {
        var address = Address(ProbeOutcome.Secured);
        var now = address with
        {
            History = address.History.With(new Observation
            {
                Target = address.History.Target, At = Now.AddHours(1), Outcome = ProbeOutcome.StartTlsRefused, Stage = ProbeStage.StartTls, ReplyCode = replyCode,
            }),
        };
        var rules = Rules(TlsLevel.Encrypt);
        var (met, present) = (MailForecast.Of(rules, [now with { History = now.History.AsLastMet() }]), MailForecast.Of(rules, [now]));
        Assert.Equal((DestinationVerdict.Ok, DestinationVerdict.Mismatch), (met.Verdict(), present.Verdict()));

        Assert.Equal(detail, Assert.Single(new DestinationFindings("example.com", Now).OfLevel(met, present, DigestAlgorithm.Sha256)).Detail);
    }

    [Theory]
    [InlineData(DestinationVerdict.Ok, ProbeOutcome.Secured, ProbeOutcome.Timeout)]
    [InlineData(DestinationVerdict.Degraded, ProbeOutcome.Secured, ProbeOutcome.StartTlsNotSupported)]
    [InlineData(DestinationVerdict.Mismatch, ProbeOutcome.HandshakeFailed, ProbeOutcome.Timeout)]
    [InlineData(DestinationVerdict.Mismatch, ProbeOutcome.EhloRefused, ProbeOutcome.Timeout)]
    [InlineData(DestinationVerdict.Unreachable, ProbeOutcome.ConnectionRefused, ProbeOutcome.Timeout)]
    public void The_verdict_is_over_all_addresses(DestinationVerdict expected, ProbeOutcome one, ProbeOutcome other)
    {
        var rules = Rules(TlsLevel.Encrypt);

        Assert.Equal(expected, MailForecast.Of(rules, [Address(one), Address(other, address: "192.0.2.2")]).Verdict());
        Assert.Equal(DestinationVerdict.Unknown, MailForecast.Of(rules, []).Verdict());
    }

    private static DeliveryRules Rules(TlsLevel level, string match = "") =>
        new(new DeliveryPolicy(level, NextHop) { Match = match.Length == 0 ? [] : [match] }, PostfixSettings.Default);

    private static ServerCertificate WithAddress(ServerCertificate certificate, string literal) => new(
        certificate.Der, certificate.PublicKey, certificate.Algorithm, certificate.KeyBits, certificate.NotBefore, certificate.NotAfter)
    {
        Names = certificate.Names,
        Addresses = [IPAddress.Parse(literal)],
    };

    private static AddressState Seen(ProbeOutcome outcome, ProbeStage stage = ProbeStage.Quit, int? code = null, ProbeOutcome after = ProbeOutcome.Secured)
    {
        var address = Address(outcome);
        return address with
        {
            History = address.History with { LastDialogue = new LastDialogue(stage, code, after, KeyAlgorithm.Ecdsa, "TLSv1.3") },
        };
    }

    private static AddressState Address(
        ProbeOutcome outcome, bool trusted = false, string name = "any", string address = "192.0.2.1", DateTimeOffset? at = null,
        ServerCertificate? certificate = null, params ServerCertificate[] certificates)
    {
        var target = new ProbeTarget(IPAddress.Parse(address), 25);
        ServerCertificate[] shown = certificates.Length > 0 ? certificates : [certificate ?? RotationScenario.Certificate("any", host: name)];
        var seen = new Observation
        {
            Target = target,
            At = at ?? Now,
            Outcome = outcome,
            Stage = ProbeStage.Quit,
            Certificates =
            [
                .. shown.Select(one => new PresentedCertificate(
                    one, [], trusted ? ChainVerdict.Trusted : ChainVerdict.NotTrusted, null, "", "")),
            ],
        };
        return new AddressState { MxHost = "mx.example.com", History = new AddressHistory(target).With(seen), Observation = seen };
    }
}
