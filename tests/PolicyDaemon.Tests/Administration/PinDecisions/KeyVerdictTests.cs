using System.Net;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Administration.PinDecisions;

/// <summary>The verdict about a key that waits for a decision. "Looks like a renewal" is said where an attacker would need a certificate of the same
/// authority for the same name at the same address, and nowhere else.</summary>
public sealed class KeyVerdictTests
{
    private const string Mx = "mx.partner.test";

    private static readonly DateTimeOffset Now = new(2026, 11, 29, 3, 0, 0, TimeSpan.Zero);

    private static readonly ServerCertificate Old = Certificate(1, -81, 9), New = Certificate(2, -1, 89);

    [Fact]
    public void The_next_certificate_of_the_same_authority_in_the_place_of_one_that_ends_looks_like_a_renewal()
    {
        var verdict = KeyVerdict.Of(Renewal());

        Assert.Equal(KeyVerdictKind.Renewal, verdict.Kind);
        Assert.Equal("looks like a renewal: same CA (Good CA); same name (mx.partner.test); the old certificate ends in 9 days", verdict.Sentence);
        Assert.Contains("no proof", verdict.Advice, StringComparison.Ordinal);
        Assert.Equal((0, 0), (verdict.Against.Length, verdict.Unknown.Length));
    }

    [Fact]
    public void The_README_quotes_what_is_said()
    {
        var readme = string.Join(' ', File.ReadAllText(Repository.Path("README.md")).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        foreach (var facts in (KeyFacts[])[Renewal(), Spoil(Renewal(), "self-signed")])
            Assert.Contains($"\"{KeyVerdict.Of(facts).Sentence.Replace("partner.test", "partner.example", StringComparison.Ordinal)}\"", readme, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, "the old certificate ended 1 day ago")]
    [InlineData(0, "the old certificate ends today")]
    [InlineData(30, "the old certificate ends in 30 days")]
    public void How_long_the_old_one_had_is_said(int days, string said)
    {
        var old = Certificate(1, days - 90, days, hours: 1);
        Assert.Contains(said, KeyVerdict.Of(Renewal() with { Old = Shown(old, isCurrent: false) }).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void An_authority_may_issue_by_another_of_its_certificates() =>
        Assert.Equal(KeyVerdictKind.Renewal, KeyVerdict.Of(Renewal() with { New = Shown(Certificate(2, -1, 89, issuer: "CN=R11, O=Good CA, C=US")) }).Kind);

    public static TheoryData<string> WhatIsOdd =>
    [
        .. FindingKinds.All.Where(kind => kind.IsSuspicious).Select(kind => "finding " + kind.Name),
        "finding starttls-gone", "finding plaintext-injected", "finding weaker-key", "finding rotating-too-often", "finding too-many-keys",
        "finding brake-on", "finding network-trouble", "finding clock-jumped",
        "chain not trusted", "chain not trusted at one place", "self-signed", "expired", "not yet valid", "another name", "another host", "another host too", "another address",
        "old key shown elsewhere", "strangers before", "tlsa mismatch", "tlsa mismatch at one place", "weaker", "rejected here", "revoked here", "rejected elsewhere", "revoked elsewhere",
    ];

    [Theory]
    [MemberData(nameof(WhatIsOdd))]
    public void What_speaks_against_it_is_odd_whatever_speaks_for_it(string what)
    {
        // Everything else is as good as it can be: a renewal, and a TLSA record that matches, and the public key of before.
        foreach (var good in (KeyFacts[])[Renewal(), Proven(), SameKey()])
        {
            var verdict = KeyVerdict.Of(Spoil(good, what));

            Assert.Equal(KeyVerdictKind.Odd, verdict.Kind);
            Assert.NotEmpty(verdict.Against);
            Assert.StartsWith("odd: ", verdict.Sentence, StringComparison.Ordinal);
            Assert.Contains("Do not approve it before the partner", verdict.Advice, StringComparison.Ordinal);
        }
    }

    public static TheoryData<string> WhatIsMissing =>
    [
        "another authority", "same names in an untrusted chain", "old one self-signed", "both self-signed", "no old key", "old one not near its end", "older than the old one",
        "not shown any more", "probed long ago", "never probed", "tlsa unknown", "pinned behind other hosts", "finding pin-mismatch", "finding dns-trouble",
        "finding destination-unreachable", "no organisation", "old key of another algorithm",
    ];

    [Theory]
    [MemberData(nameof(WhatIsMissing))]
    public void Where_something_is_missing_it_is_no_renewal(string what)
    {
        var verdict = KeyVerdict.Of(Spoil(Renewal(), what));

        Assert.Equal(KeyVerdictKind.Unclear, verdict.Kind);
        Assert.NotEmpty(verdict.Unknown);
        Assert.DoesNotContain("renewal", verdict.Sentence, StringComparison.Ordinal);
        Assert.Contains("Compare its fingerprint with the partner", verdict.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_self_signed_key_in_the_place_of_a_self_signed_one_is_said_to_be_so()
    {
        var verdict = KeyVerdict.Of(Spoil(Renewal(), "both self-signed"));
        Assert.Contains("it is self-signed, as the old one was", verdict.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secure_record_that_matches_everywhere_names_the_key()
    {
        Assert.Equal(KeyVerdictKind.Dane, KeyVerdict.Of(Proven()).Kind);
        Assert.NotEqual(KeyVerdictKind.Dane, KeyVerdict.Of(Proven() with { AreNamesAuthenticated = false }).Kind);
        var unseen = Renewal() with { New = null, IsAnnounced = true, AreNamesAuthenticated = true };
        Assert.Equal(KeyVerdictKind.Dane, KeyVerdict.Of(unseen).Kind);
        Assert.Contains("no server shows it yet", KeyVerdict.Of(unseen).Sentence, StringComparison.Ordinal);
        Assert.Equal(KeyVerdictKind.Unclear, KeyVerdict.Of(unseen with { IsAnnounced = false }).Kind);
    }

    [Fact]
    public void The_public_key_of_before_is_no_new_key()
    {
        Assert.Equal(KeyVerdictKind.SamePublicKey, KeyVerdict.Of(SameKey()).Kind);
        var inUse = KeyVerdict.Of(Renewal() with { New = Shown(Old), IsAccepted = true });
        Assert.Equal("no new key: it is the public key of the certificate that is pinned and in use", inUse.Sentence);
        // Whoever showed it once and does not any more proves nothing now.
        Assert.Equal(KeyVerdictKind.Unclear, KeyVerdict.Of(SameKey() with { New = Shown(Certificate(2, -1, 89, key: 1), isCurrent: false) }).Kind);
    }

    [Fact]
    public void What_others_and_history_say_for_it_is_said()
    {
        var shared = Renewal() with
        {
            Old = null,
            Pin = Renewal().Pin with { Strength = PinStrength.Person },
            Elsewhere = new PinElsewhere(Renewal().Pin.Fingerprint, NextHop.Parse("b.example"), PinState.Active, SharesHost: true),
        };

        var verdict = KeyVerdict.Of(shared);

        Assert.Equal(KeyVerdictKind.Unclear, verdict.Kind);
        Assert.Contains("in its favour: it is a pin of b.example, whose mail goes to the same MX host; it was a pin here before", verdict.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_that_a_peer_wrote_is_cut()
    {
        var name = new string('x', 5000);
        var facts = Renewal() with { New = Shown(Certificate(2, -1, 89, issuer: name, organisation: name)), Old = Shown(Certificate(1, -81, 9, issuer: name, organisation: name), isCurrent: false) };
        Assert.True(KeyVerdict.Of(facts).Sentence.Length < 300);
        var detail = Place() with { IsTrusted = false, ChainDetail = name };
        Assert.True(KeyVerdict.Of(Renewal() with { New = new ShownKey(New, [detail]) }).Sentence.Length < 400);
    }

    private static KeyFacts Renewal() => new()
    {
        Pin = new Pin(New.Digest(PinSubject.PublicKey, DigestAlgorithm.Sha256), PinSubject.PublicKey, PinState.Candidate, null, Now.AddMinutes(-20)),
        Now = Now,
        LastProbe = Now.AddMinutes(-10),
        New = Shown(New),
        Old = Shown(Old, isCurrent: false),
        Findings = [Finding(FindingKind.NewKey), Finding(FindingKind.PinHeld)],
    };

    private static KeyFacts Proven() => Renewal() with { AreNamesAuthenticated = true, New = new ShownKey(New, [Place() with { Dane = DaneVerdict.Match }]) };

    private static KeyFacts SameKey() => Renewal() with { New = Shown(Certificate(2, -1, 89, key: 1)) };

    private static KeyFacts Spoil(KeyFacts facts, string what)
    {
        var shown = facts.New!;
        if (what.StartsWith("finding ", StringComparison.Ordinal))
        {
            Assert.True(FindingKinds.TryParse(what["finding ".Length..], out var kind));
            return facts with { Findings = facts.Findings.Add(Finding(kind)) };
        }

        switch (what)
        {
            case "chain not trusted":
                return facts with { New = Everywhere(place => place with { IsTrusted = false, ChainDetail = "unknown authority" }) };
            case "chain not trusted at one place":
                return facts with { New = shown with { Places = [.. shown.Places, Place(2) with { IsTrusted = false }] } };
            case "self-signed":
                return facts with { New = new ShownKey(Like(shown.Certificate, issuer: "CN=mx.partner.test"), [Place() with { IsTrusted = false, Dane = shown.Places[0].Dane }]) };
            case "expired":
                return facts with { New = shown with { Certificate = Like(shown.Certificate, from: -70, until: -1) } };
            case "not yet valid":
                return facts with { New = shown with { Certificate = Like(shown.Certificate, from: 1) } };
            case "another name":
                return facts with { New = shown with { Certificate = Like(shown.Certificate, name: "mx.attacker.test") } };
            case "another host":
                return facts with { New = new ShownKey(Like(shown.Certificate, name: "mx.attacker.test"), [.. shown.Places.Select(place => place with { MxHost = "mx.attacker.test" })]) };
            case "another host too":
                return facts with { New = shown with { Places = [.. shown.Places, shown.Places[0] with { MxHost = "mx2.partner.test" }] } };
            case "another address":
                return facts with { New = Everywhere(place => place with { HasShownTrusted = false }) };
            case "old key shown elsewhere":
                // The same public key elsewhere is no other key, so the old certificate has one of its own here.
                return facts with { Old = new ShownKey(Certificate(9, -81, 9), [Place() with { IsCurrent = false }, Place(2)]) };
            case "strangers before":
                return facts with { New = Everywhere(place => place with { StrangersBefore = 1 }) };
            case "tlsa mismatch":
                return facts with { New = Everywhere(place => place with { Dane = DaneVerdict.Mismatch }) };
            case "tlsa mismatch at one place":
                return facts with { New = shown with { Places = [.. shown.Places, Place(2) with { Dane = DaneVerdict.Mismatch }] } };
            case "weaker":
                return facts with { Weakness = "the key has a strength of 112 bits, the weakest that is trusted now 128" };
            case "rejected here":
                return facts with { Pin = facts.Pin with { State = PinState.Rejected } };
            case "revoked here":
                return facts with { Pin = facts.Pin with { State = PinState.Revoked } };
            case "rejected elsewhere":
                return facts with { Elsewhere = new PinElsewhere(facts.Pin.Fingerprint, NextHop.Parse("b.example"), PinState.Rejected, SharesHost: false) };
            case "revoked elsewhere":
                return facts with { Elsewhere = new PinElsewhere(facts.Pin.Fingerprint, NextHop.Parse("b.example"), PinState.Revoked, SharesHost: true) };
            case "old key of another algorithm":
                return facts with { Old = new ShownKey(Old, [Place() with { WasShownLast = false }]) };
            case "another authority":
                return facts with { New = Shown(Certificate(2, -1, 89, issuer: "CN=X, O=Other CA", organisation: "Other CA")) };
            case "no organisation":
                return facts with { New = Shown(Certificate(2, -1, 89, issuer: "CN=X", organisation: "")), Old = Shown(Certificate(1, -81, 9, issuer: "CN=Y", organisation: ""), isCurrent: false) };
            case "same names in an untrusted chain":
                // Anybody writes the name of an authority; the old one was not trusted either, so that nothing fell.
                return facts with
                {
                    New = new ShownKey(New, [Place() with { IsTrusted = false }]), Old = new ShownKey(Old, [Place() with { IsCurrent = false, IsTrusted = false }]),
                };
            case "old one self-signed":
                return facts with { Old = new ShownKey(Certificate(1, -81, 9, issuer: "CN=mx.partner.test"), [Place() with { IsCurrent = false, IsTrusted = false }]) };
            case "both self-signed":
                return facts with
                {
                    New = new ShownKey(Certificate(2, -1, 89, issuer: "CN=mx.partner.test"), [Place() with { IsTrusted = false }]),
                    Old = new ShownKey(Certificate(1, -81, 9, issuer: "CN=mx.partner.test"), [Place() with { IsCurrent = false, IsTrusted = false }]),
                };
            case "no old key":
                return facts with { Old = null };
            case "old one not near its end":
                return facts with { Old = Shown(Certificate(1, -20, 70), isCurrent: false) };
            case "older than the old one":
                return facts with { New = Shown(Certificate(2, -82, 8)) };
            case "not shown any more":
                return facts with { New = Shown(New, isCurrent: false) };
            case "probed long ago":
                return facts with { LastProbe = Now.AddHours(-7) };
            case "never probed":
                return facts with { LastProbe = null };
            case "tlsa unknown":
                return facts with { New = Everywhere(place => place with { Dane = DaneVerdict.Unknown }) };
            case "pinned behind other hosts":
                return facts with { Elsewhere = new PinElsewhere(facts.Pin.Fingerprint, NextHop.Parse("b.example"), PinState.Active, SharesHost: false) };
            default:
                throw new ArgumentException(what, nameof(what));
        }

        ShownKey Everywhere(Func<ShownPlace, ShownPlace> change) => shown with { Places = [.. shown.Places.Select(change)] };
    }

    private static ShownKey Shown(ServerCertificate certificate, bool isCurrent = true) => new(certificate, [Place() with { IsCurrent = isCurrent }]);

    private static ShownPlace Place(int number = 1) =>
        new(Mx, new ProbeTarget(IPAddress.Parse($"192.0.2.{number}"), 25), Now.AddMinutes(-20), Now.AddMinutes(-10), 3, IsCurrent: true) { IsTrusted = true, HasShownTrusted = true };

    private static Finding Finding(FindingKind kind) => new(kind, "partner.test", "what was seen", "policyctl check partner.test", Now);

    private static ServerCertificate Like(ServerCertificate certificate, string? issuer = null, int? from = null, int? until = null, string? name = null) => new(
        certificate.Der, certificate.PublicKey, KeyAlgorithm.Ecdsa, 256, from is { } begins ? Now.AddDays(begins) : certificate.NotBefore, until is { } ends ? Now.AddDays(ends) : certificate.NotAfter)
    {
        Subject = certificate.Subject,
        Issuer = issuer ?? certificate.Issuer,
        IssuerOrganisation = certificate.IssuerOrganisation,
        Names = name is null ? certificate.Names : [name],
    };

    private static ServerCertificate Certificate(
        byte number, int from, int until, byte? key = null, string issuer = "CN=R10, O=Good CA, C=US", string organisation = "Good CA", int hours = 0) =>
        new([number], [key ?? number], KeyAlgorithm.Ecdsa, 256, Now.AddDays(from), Now.AddDays(until).AddHours(hours))
        {
            Subject = "CN=mx.partner.test",
            Issuer = issuer,
            IssuerOrganisation = organisation,
            Names = [Mx],
        };
}
