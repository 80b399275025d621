using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using Xunit;

using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Cli;

public sealed class PinDecisionTests : IDisposable
{
    private static readonly string Old = KeyOf(0).Hex;
    private static readonly string New = KeyOf(1).Hex;
    private static readonly string Other = KeyOf(2).Hex;

    private readonly ProbedSession session = new();

    [Fact]
    public void An_approved_candidate_that_is_seen_is_active_and_served()
    {
        Candidate();

        var result = session.Cli.Succeed("pin", "approve", "example.com", New.ToUpperInvariant());

        Assert.Equal($"example.com\tchange\tfingerprint match={Old}\tfingerprint match={Old}|{New}\t4\n", result);
        Assert.Contains(
            $"example.com\t{New}\tsha256\tpublic-key\tactive\tperson\t2026-11-23T12:00:00Z\tyes\t2026-11-23T12:00:00Z\t2026-11-23T12:00:00Z\tmx1.example [192.0.2.1]\talice (root), change 4\n",
            session.Cli.Succeed("pin", "list", "example.com"), StringComparison.Ordinal);
        Assert.Equal("none", session.Cli.Succeed("pin", "approve", "example.com", New).Split('\t')[1]);
    }

    [Theory]
    [InlineData("beginning")]
    [InlineData("as listed")]
    [InlineData("in capitals with colons")]
    [InlineData("in groups of four")]
    [InlineData("with its digest")]
    [InlineData("beginning as long as a fingerprint in MD5")]
    [InlineData("beginning as long as a fingerprint in SHA-1")]
    [InlineData("beginning with its digest")]
    [InlineData("as openssl x509 prints it")]
    [InlineData("as openssl dgst prints it")]
    [InlineData("of the certificate")]
    [InlineData("of the certificate in SHA-1")]
    [InlineData("beginning of the certificate's")]
    public void A_pin_is_named_by_what_a_person_has_at_hand(string form)
    {
        Candidate();
        var certificate = Certificate(1).Digest(PinSubject.Certificate, DigestAlgorithm.Sha256);
        var name = form switch
        {
            "beginning" => New[..8],
            "as listed" => New[..16] + "...",
            "in capitals with colons" => string.Join(':', New[..20].ToUpperInvariant().Chunk(2).Select(pair => new string(pair))),
            "in groups of four" => string.Join(' ', New.Chunk(4).Select(group => new string(group))),
            "with its digest" => "sha256:" + New,
            "beginning as long as a fingerprint in MD5" => New[..32],
            "beginning as long as a fingerprint in SHA-1" => New[..40],
            "beginning with its digest" => "SHA-256:" + New[..9],
            "as openssl x509 prints it" => "sha256 Fingerprint=" + certificate.ToDisplayString(),
            "as openssl dgst prints it" => "SHA2-256(stdin)= " + KeyOf(1).ToDisplayString(),
            "of the certificate" => certificate.ToDisplayString(),
            "of the certificate in SHA-1" => Certificate(1).Digest(PinSubject.Certificate, DigestAlgorithm.Sha1).ToDisplayString(),
            _ => certificate.Hex[..12],
        };

        Assert.Contains($"{Old}|{New}\t", session.Cli.Succeed("pin", "approve", "example.com", name), StringComparison.Ordinal);
        Assert.Contains($"fingerprint match={Old}\t", session.Cli.Succeed("pin", "revoke", "example.com", name), StringComparison.Ordinal);
        Assert.Equal("change", session.Cli.Succeed("pin", "reject", "example.com", name).Split('\t')[1]);
    }

    [Fact]
    public void Groups_of_four_digits_may_be_words_of_their_own()
    {
        Candidate();

        session.Cli.Succeed(["pin", "approve", "example.com", .. New.Chunk(4).Select(group => new string(group)), "--reason", "read out"]);

        Assert.Contains($"{New}\tsha256\tpublic-key\tactive\t", session.Cli.Succeed("pin", "list", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void Who_names_a_pin_by_its_certificate_is_told_which_pin_it_is()
    {
        Candidate();
        var certificate = Certificate(1).Digest(PinSubject.Certificate, DigestAlgorithm.Sha256).ToDisplayString();
        var sha1 = KeyOf(1, DigestAlgorithm.Sha1).Hex;

        var byCertificate = session.Cli.Run("pin", "approve", "example.com", certificate, "--dry-run");
        var byDigest = session.Cli.Run("pin", "approve", "example.com", sha1);
        var byItself = session.Cli.Run("pin", "approve", "example.com", New[..10]);

        Assert.Contains($"{certificate} is the fingerprint of the certificate; the pin is of its public key: {New}\n", byCertificate.Error, StringComparison.Ordinal);
        Assert.Contains($"{sha1} is the same fingerprint in another digest; the pin is {New}\n", byDigest.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(" is the ", byItself.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sha1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "is called sha1 and has as many digits as sha256")]
    [InlineData("sha256:aaaaaaa", "the first 8 or more")]
    [InlineData("ssh-rsa:aaaaaaaa", "is not hexadecimal")]
    [InlineData("match=aaaaaaaaaaaa", "is not hexadecimal")]
    public void A_digest_that_does_not_fit_is_refused(string name, string why)
    {
        Candidate();

        var result = session.Cli.Run("pin", "approve", "example.com", name);

        Assert.Equal(ExitCode.Usage, result.Code);
        Assert.Contains(why, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_beginning_with_a_digest_is_of_a_pin_in_that_digest()
    {
        Candidate();

        Assert.Contains("has no pin whose fingerprint begins with", session.Cli.Run("pin", "approve", "example.com", "sha512:" + New[..12]).Error, StringComparison.Ordinal);
        session.Cli.Succeed("pin", "approve", "example.com", "sha512:" + KeyOf(1, DigestAlgorithm.Sha512).Hex[..12]);
    }

    [Fact]
    public void What_is_added_is_named_as_a_whole()
    {
        Candidate();

        var part = session.Cli.Run("pin", "add", "example.com", New[..12]);

        Assert.Equal(ExitCode.Usage, part.Code);
        Assert.Equal(
            $"policyctl: pin add takes whole fingerprints, and '{New[..12]}' is the beginning of one; a key that a probe saw: policyctl pin approve\n", part.Error);
        session.Cli.Succeed("pin", "add", "example.com", "SHA256:" + KeyOf(2).ToDisplayString());
    }

    [Fact]
    public void A_name_that_several_pins_have_is_refused_with_them_and_one_that_none_has_says_so()
    {
        var (one, other) = ("aaaaaaaa11" + Old[10..], "aaaaaaaa22" + Old[10..]);
        session.Cli.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", one, "--match", other);

        var several = session.Cli.Run("pin", "revoke", "example.com", "aaaaaaaa");
        var none = session.Cli.Run("pin", "revoke", "example.com", "bbbbbbbb");
        var tooShort = session.Cli.Run("pin", "revoke", "example.com", "aaaaaaa");

        Assert.Equal($"policyctl: aaaaaaaa names 2 pins of example.com; write one of them as it is\n  {one}\n  {other}\n", several.Error);
        Assert.Equal("policyctl: example.com has no pin whose fingerprint begins with bbbbbbbb; see: policyctl pin list example.com\n", none.Error);
        Assert.Equal((ExitCode.Negative, ExitCode.Usage), (none.Code, tooShort.Code));
        Assert.Contains("the first 8 or more", tooShort.Error, StringComparison.Ordinal);
        session.Cli.Succeed("pin", "revoke", "example.com", "aaaaaaaa2");
    }

    [Fact]
    public void What_is_added_is_what_was_given()
    {
        Candidate();
        var certificate = Certificate(0).Digest(PinSubject.Certificate, DigestAlgorithm.Sha256).Hex;

        Assert.Contains($"match={Old}|{certificate}", session.Cli.Succeed("pin", "add", "example.com", certificate), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_means_the_entries_that_have_the_pin_in_one_change()
    {
        foreach (var key in new[] { "a.example", "b.example" })
            session.Cli.Succeed("domain", "add", key, "--level", "fingerprint", "--match", Old, "--match", New);
        session.Cli.Succeed("domain", "add", "c.example", "--level", "fingerprint", "--match", New);
        session.Cli.Succeed("domain", "add", "d.example", "--level", "secure");

        var revoked = session.Cli.Succeed("pin", "revoke", "*.example", Old[..10]);

        Assert.Equal($"a.example\tchange\tfingerprint match={Old}|{New}\tfingerprint match={New}\t6\nb.example\tchange\tfingerprint match={Old}|{New}\tfingerprint match={New}\t6\n", revoked);
        Assert.Equal(ExitCode.Negative, session.Cli.Run("pin", "revoke", "*.example", "bbbbbbbb").Code);
        session.Cli.Succeed("undo", "6", "--reason", "it was not theirs to revoke");
    }

    [Fact]
    public void What_is_revoked_already_is_so_already()
    {
        foreach (var key in new[] { "a.example", "b.example" })
            session.Cli.Succeed("domain", "add", key, "--level", "fingerprint", "--match", Old, "--match", New, "--match", Other);
        session.Cli.Succeed("domain", "add", "c.example", "--level", "fingerprint", "--match", New);
        session.Probe("c.example", [0], DestinationVerdict.Mismatch, [Move(0, null, PinState.Candidate, RotationRule.FirstSeen)]);
        session.Cli.Succeed("pin", "revoke", "a.example", Old);
        session.Cli.Succeed("pin", "reject", "b.example", Other);

        var again = session.Cli.Run("pin", "revoke", "a.example", Old);
        var rejected = session.Cli.Run("pin", "revoke", "b.example", Other);
        // c.example has the first as a candidate, and nothing of the second: neither is revoked there.
        var all = session.Cli.Succeed("pin", "revoke", "*.example", Old, Other[..10]);

        Assert.Equal((ExitCode.Done, ExitCode.Done), (again.Code, rejected.Code));
        Assert.Contains("Nothing to change: it is so already.", again.Error, StringComparison.Ordinal);
        Assert.Equal(["a.example change", "b.example change"], all.TrimEnd('\n').Split('\n').Select(row => string.Join(' ', row.Split('\t')[..2])));
        Assert.Equal(["a.example none", "b.example none"], session.Cli.Succeed("pin", "revoke", "*.example", Old, Other).TrimEnd('\n').Split('\n')
            .Select(row => string.Join(' ', row.Split('\t')[..2])));
        Assert.Contains($"{Other}\tsha256\tunknown\trejected\t", session.Cli.Succeed("pin", "list", "b.example"), StringComparison.Ordinal);
        Assert.Contains("c.example has no served pin", session.Cli.Run("pin", "revoke", "c.example", Old).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_approves_is_told_when_the_findings_end()
    {
        session.Cli.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", Old);
        session.Probe(
            "example.com", [1], DestinationVerdict.Mismatch, [Move(1, null, PinState.Candidate, RotationRule.FirstSeen)],
            [new Finding(FindingKind.NewKey, "example.com", "a key that is not pinned", "policyctl pin approve example.com", session.Cli.Time.GetUtcNow())]);

        Assert.DoesNotContain("end with", session.Cli.Run("pin", "approve", "example.com", New, "--dry-run").Error, StringComparison.Ordinal);
        Assert.Contains(
            "Findings about example.com end with its next probe, which the daemon makes now; without the daemon: policyctl probe example.com\n",
            session.Cli.Run("pin", "approve", "example.com", New).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_candidate_that_is_not_seen_any_more_is_served_as_standby()
    {
        Candidate();
        session.Cli.Time.Advance(TimeSpan.FromHours(1));
        session.Probe("example.com", [0], DestinationVerdict.Ok);

        session.Cli.Succeed("pin", "approve", "example.com", New);

        Assert.Contains($"{New}\tsha256\tpublic-key\tstandby\tperson\t", session.Cli.Succeed("pin", "list", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_shows_the_answers_and_changes_nothing()
    {
        Candidate();
        Assert.Contains($"match={Old}|{New}", session.Cli.Succeed("pin", "approve", "example.com", New, "--dry-run"), StringComparison.Ordinal);
        Assert.Contains($"{New}\tsha256\tpublic-key\tcandidate\t", session.Cli.Succeed("pin", "list", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_probe_saw_cannot_be_approved()
    {
        Candidate();
        var result = session.Cli.Run("pin", "approve", "example.com", KeyOf(2).Hex);
        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains($"policyctl pin add example.com {KeyOf(2).Hex}", result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, session.Cli.Run("pin", "approve", "other.example", New).Code);
    }

    [Fact]
    public void A_weaker_key_takes_a_reason()
    {
        session.Cli.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", Old);
        session.Probe("example.com", [0], DestinationVerdict.Ok);
        session.Cli.Time.Advance(TimeSpan.FromHours(1));
        // RSA 2048 has 112 bits, P-256 has 128.
        session.Probe("example.com", [3], DestinationVerdict.Mismatch, [Move(3, null, PinState.Candidate, RotationRule.FirstSeen)]);

        var refused = session.Cli.Run("pin", "approve", "example.com", KeyOf(3).Hex);

        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("has a strength of 112 bits, the weakest that is trusted now 128", refused.Error, StringComparison.Ordinal);
        session.Cli.Succeed("pin", "approve", "example.com", KeyOf(3).Hex, "--reason", "an old machine");
    }

    [Fact]
    public void A_rejected_candidate_stays_rejected_until_somebody_says_why_not()
    {
        Candidate();

        session.Cli.Succeed("pin", "reject", "example.com", New);

        Assert.Contains($"{New}\tsha256\tpublic-key\trejected\tperson\t", session.Cli.Succeed("pin", "list", "example.com"), StringComparison.Ordinal);
        Assert.Equal("none", session.Cli.Succeed("pin", "reject", "example.com", New).Split('\t')[1]);
        var approve = session.Cli.Run("pin", "approve", "example.com", New);
        Assert.Equal(ExitCode.Usage, approve.Code);
        Assert.Contains("which was rejected", approve.Error, StringComparison.Ordinal);
        session.Cli.Succeed("pin", "approve", "example.com", New, "--reason", "confirmed by telephone");
    }

    [Fact]
    public void A_served_pin_can_be_rejected_but_not_the_last()
    {
        Candidate();
        var last = session.Cli.Run("pin", "reject", "example.com", Old, "--reason", "leaked");
        Assert.Equal(ExitCode.Invalid, last.Code);

        session.Cli.Succeed("pin", "approve", "example.com", New);
        session.Cli.Succeed("pin", "reject", "example.com", Old);

        Assert.Contains($"answer\tfingerprint match={New}\n", session.Cli.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_pin_of_an_observed_entry_can_be_rejected()
    {
        session.Cli.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", Old, "--observe");
        session.Cli.Succeed("pin", "reject", "example.com", Old);
    }

    [Fact]
    public void A_key_can_be_rejected_before_anybody_shows_it()
    {
        Candidate();
        session.Cli.Succeed("pin", "reject", "example.com", KeyOf(2).Hex);
        Assert.Contains($"{KeyOf(2).Hex}\tsha256\tunknown\trejected\t", session.Cli.Succeed("pin", "list", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void Rejecting_a_key_says_what_still_accepts_its_server()
    {
        var whole = Certificate(0).Id.Hex;
        session.Cli.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", Old, "--match", whole);
        session.Probe("example.com", [0], DestinationVerdict.Ok);

        var result = session.Cli.Run("pin", "reject", "example.com", Old);

        Assert.Contains($"still accepted by the pin {whole}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Taking_a_change_of_the_prober_back_says_that_it_may_come_again()
    {
        Candidate();
        session.Probe("example.com", [1], DestinationVerdict.Mismatch, [Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)]);

        var result = session.Cli.Run("undo", "4");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("policyctl pin reject example.com FINGERPRINT", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{New}\tsha256\tpublic-key\tcandidate\t", session.Cli.Succeed("pin", "list", "example.com"), StringComparison.Ordinal);
    }

    public void Dispose() => session.Dispose();

    /// <summary>A pinned destination whose server shows a new key.</summary>
    private void Candidate()
    {
        session.Cli.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", Old);
        session.Probe("example.com", [1], DestinationVerdict.Mismatch, [Move(1, null, PinState.Candidate, RotationRule.FirstSeen)]);
    }

    [Fact]
    public void While_the_brake_is_on_an_approval_says_so()
    {
        Candidate();
        Assert.DoesNotContain("brake", session.Cli.Run("pin", "approve", "example.com", New, "--dry-run").Error, StringComparison.Ordinal);
        using (var store = PolicyStore.Open(session.Cli.Store, StoreAccess.Write, session.Cli.Time))
            store.RaiseFinding(new Finding(FindingKind.BrakeOn, "prober", "20 of 100 MX hosts show a new key", "policyctl status --kind new-key", session.Cli.Time.GetUtcNow()));

        foreach (var dryRun in (string[][])[["--dry-run"], []])
            Assert.Contains("warning: example.com: the brake is on: 20 of 100 MX hosts show a new key; compare the fingerprint", session.Cli.Run(["pin", "approve", "example.com", New, .. dryRun]).Error, StringComparison.Ordinal);
        Assert.DoesNotContain("brake", session.Cli.Run("pin", "approve", "example.com", New).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_takes_away_the_key_that_servers_show_is_told_that_mail_waits()
    {
        Candidate();
        session.Cli.Succeed("pin", "approve", "example.com", New);
        Assert.DoesNotContain("mail for", session.Cli.Run("pin", "revoke", "example.com", Old, "--dry-run").Error, StringComparison.Ordinal);
        foreach (var verb in (string[])["reject", "revoke"])
        {
            Assert.Contains(
                "warning: example.com: mail for example.com waits from now on: by the last probe 2026-11-23T12:00:00Z every address shows a key that is not served any more",
                session.Cli.Run("pin", verb, "example.com", New, "--dry-run").Error, StringComparison.Ordinal);
        }

        // Who is only observed has no mail that could wait.
        session.Cli.Succeed("domain", "set", "example.com", "--observe", "--reason", "test");
        Assert.DoesNotContain("mail for", session.Cli.Run("pin", "revoke", "example.com", New, "--dry-run").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_approval_warns_of_no_pin_but_the_one_that_is_approved()
    {
        Candidate();
        using (var store = PolicyStore.Open(session.Cli.Store, StoreAccess.Write, session.Cli.Time))
        {
            using var change = store.BeginChange(new ChangeOrigin(new Actor("root", null, null), "test", "a first sight"), PostfixSettings.Default);
            var entry = store.Find(NextHop.Parse("example.com"))!;
            change.Write(change.Judge(entry.Key, entry with { Pins = [.. entry.Pins.Select(pin => pin.IsServed ? pin with { Strength = PinStrength.Tofu } : pin)] }, false), null);
            change.Commit();
        }

        Assert.DoesNotContain("first sight", session.Cli.Run("pin", "approve", "example.com", New).Error, StringComparison.Ordinal);
    }
}
