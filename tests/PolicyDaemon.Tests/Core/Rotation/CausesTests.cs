using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

/// <summary>One cause is one finding, whatever follows from it, and its remedy can be pasted.</summary>
public sealed class CausesTests
{
    private const string A = "192.0.2.1", B = "192.0.2.2";

    private readonly RotationScenario world = new();

    public CausesTests()
    {
        world.Server(A);
        world.Pin("old");
        world.See(A, "old");
        world.Step();
        world.Now = world.Now.AddHours(1);
    }

    [Fact]
    public void A_changed_key_is_one_finding_and_says_that_mail_waits()
    {
        world.See(A, "new");

        var finding = Assert.Single(world.Step().Findings);

        Assert.Equal((FindingKind.NewKey, FindingSeverity.MailWaits), (finding.Kind, finding.Severity));
        Assert.Equal(
            "mx.example presents a key that is not pinned; every address would be refused: mail waits; compare its fingerprint with the partner over another channel before it is approved",
            finding.Detail);
        Assert.Equal("policyctl pin approve example.com", finding.Remedy);
    }

    [Fact]
    public void One_remedy_shows_all_keys_concerned_and_approves_none_unseen()
    {
        world.Server(B);
        world.See(A, "one");
        world.See(B, "two");

        var finding = Assert.Single(world.Step().Findings);

        Assert.Equal(2, finding.Seen.Length);
        Assert.Equal(
            new[] { RotationScenario.KeyOf("one").Hex, RotationScenario.KeyOf("two").Hex }.Order(), finding.Seen.Select(seen => seen.PublicKey.Hex).Order());
        Assert.Equal("policyctl pin approve example.com", finding.Remedy);
    }

    [Theory]
    [InlineData(false, "mail-waits")]
    [InlineData(true, "look-at-it")]
    public void An_entry_that_is_only_observed_holds_up_no_mail(bool observed, string severity)
    {
        world.IsObserved = observed;
        world.See(A, "new");

        var finding = Assert.Single(world.Step().Findings);

        Assert.Equal(severity, finding.Severity.Name());
        Assert.Equal(observed, finding.Detail.Contains("only observed; enforced, it would have mail wait", StringComparison.Ordinal));
    }

    [Fact]
    public void A_stale_TLSA_record_is_one_finding_whose_remedy_looks()
    {
        world.Secure();
        world.Tlsa.Add(RotationScenario.TlsaOf("old"));
        world.See(A, "new");

        Looks(FindingKind.TlsaMismatch, FindingSeverity.MailWaits);
    }

    [Fact]
    public void A_rejected_key_is_one_finding_whose_remedy_looks()
    {
        world.Pin("stolen", PinState.Rejected);
        world.See(A, "stolen");

        Looks(FindingKind.RejectedKeySeen, FindingSeverity.MailWaits);
    }

    [Fact]
    public void STARTTLS_gone_is_one_finding()
    {
        world.Fail(A, ProbeOutcome.StartTlsNotSupported);

        Looks(FindingKind.StartTlsGone, FindingSeverity.MailWaits);
    }

    [Fact]
    public void Other_MX_hosts_with_another_key_are_one_finding_and_the_pin_of_the_old_ones_is_none()
    {
        world.Unlist(A);
        world.Mx = world.Mx with { Hosts = [] };
        world.Server(B, "other.example");
        world.See(B, "attacker");

        Looks(FindingKind.MxSetReplaced, FindingSeverity.MailWaits);
    }

    [Fact]
    public void DNSSEC_lost_together_with_a_new_key_is_one_finding()
    {
        world.Mx = world.Mx with { WasSecure = true, Dnssec = DnssecStatus.Insecure };
        world.See(A, "new");

        Looks(FindingKind.DnssecLost, FindingSeverity.MailWaits);
    }

    [Fact]
    public void The_third_key_within_a_week_is_one_finding_from_its_first_probe()
    {
        foreach (var name in new[] { "first", "second" })
        {
            world.See(A, name);
            world.Step();
            world.Pins[^1] = world.Pins[^1] with { State = PinState.Active };
            world.Now = world.Now.AddHours(12);
        }

        world.See(A, "third");

        var finding = Assert.Single(world.Step().Findings);
        Assert.Equal(FindingKind.RotatingTooOften, finding.Kind);
        Assert.Contains("mail waits", finding.Detail, StringComparison.Ordinal);
        Assert.Equal("policyctl pin approve example.com", finding.Remedy);
    }

    [Fact]
    public void A_weaker_key_takes_a_reason_so_its_remedy_looks()
    {
        world.See(A, RotationScenario.Certificate("new", bits: 224));

        Looks(FindingKind.WeakerKey, FindingSeverity.MailWaits);
    }

    [Fact]
    public void Different_causes_at_different_addresses_are_told_apart()
    {
        world.Server(B);
        world.See(A, "new");
        world.See(B, "old");
        world.Step();
        world.Now = world.Now.AddHours(1);
        world.See(A, "new");
        world.Fail(B, ProbeOutcome.StartTlsNotSupported);

        Assert.Equal([FindingKind.NewKey, FindingKind.StartTlsGone], world.Evaluate().Findings.Select(finding => finding.Kind));
    }

    [Fact]
    public void What_no_other_finding_explains_is_a_mismatch_with_its_reason()
    {
        world.Fail(A, ProbeOutcome.HandshakeFailed);

        var finding = Looks(FindingKind.PinMismatch, FindingSeverity.MailWaits);
        Assert.Contains("mx.example [192.0.2.1] (handshake-failed)", finding.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(454, "mail waits")]
    [InlineData(501, "mail is returned to its sender")]
    public void A_refused_STARTTLS_is_told_as_what_it_does_to_mail_and_ends_with_it(int replyCode, string consequence)
    {
        for (var i = 0; i < 3; i++)
        {
            world.RefuseStartTls(A, replyCode);

            var result = world.Step();

            var finding = Assert.Single(result.Findings);
            Assert.Equal((DestinationVerdict.Mismatch, FindingKind.PinMismatch, FindingSeverity.MailWaits), (result.Verdict, finding.Kind, finding.Severity));
            Assert.Contains($"mx.example [192.0.2.1] (starttls-refused); every address would be refused: {consequence}", finding.Detail, StringComparison.Ordinal);
            world.Now = world.Now.AddHours(1);
        }

        world.See(A, "old");
        Assert.Empty(world.Step().Findings);
    }

    [Fact]
    public void A_refused_STARTTLS_beside_a_changed_key_is_a_cause_of_its_own()
    {
        world.Server(B);
        world.See(A, "new");
        world.RefuseStartTls(B, 454);

        var findings = world.Step().Findings;

        Assert.Equal([FindingKind.NewKey, FindingKind.PinMismatch], findings.Select(finding => finding.Kind));
        Assert.DoesNotContain(A, findings[1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Addresses_of_no_family_that_Postfix_uses_are_told()
    {
        world.Postfix = PostfixSettings.Default with { InetProtocols = AddressFamilies.IPv6 };
        world.See(A, "old");

        var finding = Assert.Single(world.Step().Findings);
        Assert.Equal((FindingKind.PinMismatch, FindingSeverity.MailWaits), (finding.Kind, finding.Severity));
        Assert.Contains("inet_protocols", finding.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ProbeOutcome.Timeout)]
    [InlineData(ProbeOutcome.ConnectionRefused)]
    [InlineData(ProbeOutcome.GreetingTemporary)]
    [InlineData(ProbeOutcome.ProtocolError)]
    [InlineData(ProbeOutcome.StartTlsRefused)]
    public void A_probe_that_says_nothing_ends_no_finding(ProbeOutcome nothing)
    {
        world.Server(B);
        world.See(A, "new");
        world.See(B, "old");
        world.Step();
        world.Now = world.Now.AddHours(1);
        world.Fail(B, ProbeOutcome.StartTlsNotSupported);
        world.See(A, "new");
        Assert.Equal([FindingKind.NewKey, FindingKind.StartTlsGone], world.Step().Findings.Select(finding => finding.Kind));

        for (var i = 0; i < 3; i++)
        {
            world.Now = world.Now.AddHours(1);
            world.Fail(A, nothing);
            world.Fail(B, nothing);
            Assert.Equal(
                [FindingKind.NewKey, FindingKind.StartTlsGone],
                world.Step().Findings.Select(finding => finding.Kind).Where(kind => kind != FindingKind.DestinationUnreachable));
        }

        world.Now = world.Now.AddHours(1);
        world.See(A, "old");
        world.See(B, "old");
        Assert.Empty(world.Step().Findings);
    }

    [Fact]
    public void A_key_that_DANE_will_admit_within_the_pass_is_told_only_if_it_is_not()
    {
        world.Secure();
        world.Tlsa.Add(RotationScenario.TlsaOf("old"));
        world.Tlsa.Add(RotationScenario.TlsaOf("new"));
        world.See(A, "new");

        var first = world.Step();
        Assert.Empty(first.Findings);
        Assert.Equal(world.Now + world.Brake.Options.EvidenceWait, first.ReconsiderAt);

        world.Now = world.Now.AddMinutes(16);
        world.See(A, "new");
        Assert.Empty(world.Step().Findings);
        Assert.Equal(PinState.Active, world.StateOf("new"));
    }

    [Fact]
    public void In_mode_locked_DANE_settles_nothing_and_the_key_is_told_at_once()
    {
        world.Mode = PinMode.Locked;
        world.Secure();
        world.Tlsa.Add(RotationScenario.TlsaOf("new"));
        world.See(A, "new");

        Assert.Equal(FindingKind.NewKey, Assert.Single(world.Step().Findings).Kind);
    }

    [Fact]
    public void Pins_of_gone_addresses_are_held_in_one_finding_and_only_beside_another_in_use()
    {
        world.Server(B, "mx2.example");
        world.Pin("second");
        world.See(B, "second");
        world.Step();
        world.Unlist(B);
        world.Now = world.Now.AddHours(1);
        world.See(A, "old");

        var finding = Assert.Single(world.Step().Findings);
        Assert.Equal((FindingKind.PinHeld, $"policyctl pin revoke example.com {RotationScenario.KeyOf("second")}"), (finding.Kind, finding.Remedy));

        world.See(A, "new");
        world.Now = world.Now.AddHours(1);
        world.See(A, "new");
        Assert.Equal(FindingKind.NewKey, Assert.Single(world.Step().Findings).Kind);
    }

    [Theory]
    [InlineData("[mx.example.com]:587")]
    [InlineData("example.com")]
    [InlineData("/var/spool/lmtp/it's here")]
    public void A_remedy_is_what_the_shell_hands_on(string entry)
    {
        world.Entry = entry;
        world.See(A, "new");
        var finding = Assert.Single(world.Step().Findings);

        Assert.Equal(["policyctl", "pin", "approve", entry], ShellWords.Of(finding.Remedy));
        world.Fail(A, ProbeOutcome.HandshakeFailed);
        world.Now = world.Now.AddHours(1);
        world.Fail(A, ProbeOutcome.HandshakeFailed);
        Assert.All(world.Evaluate().Findings, other => Assert.Equal(["policyctl", "check", entry], ShellWords.Of(other.Remedy)));
    }

    private Finding Looks(FindingKind kind, FindingSeverity severity)
    {
        var finding = Assert.Single(world.Step().Findings);
        Assert.Equal((kind, severity), (finding.Kind, finding.Severity));
        Assert.Contains("mail waits", finding.Detail, StringComparison.Ordinal);
        Assert.Equal("policyctl check example.com", finding.Remedy);
        return finding;
    }
}
