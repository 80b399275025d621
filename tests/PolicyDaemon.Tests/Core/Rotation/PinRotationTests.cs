using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

public sealed class PinRotationTests
{
    private const string A = "192.0.2.1", B = "192.0.2.2", C = "192.0.2.3";

    private readonly RotationScenario world = new();

    public PinRotationTests() => world.Server(A);

    [Fact]
    public void A_pinned_key_is_ok_and_changes_nothing()
    {
        world.Pin("old");
        world.See(A, "old");

        var result = world.Step();

        Assert.Equal(DestinationVerdict.Ok, result.Verdict);
        Assert.Empty(result.Transitions);
        Assert.Empty(result.Findings);
        Assert.True(result.SeesServedPin);
    }

    [Fact]
    public void A_new_key_becomes_a_candidate_with_a_finding_and_the_old_pin_stays()
    {
        world.Pin("old");
        world.See(A, "new");

        var result = world.Step();

        Assert.Equal(DestinationVerdict.Mismatch, result.Verdict);
        Assert.True(result.NewKeySeen);
        Assert.Equal(PinState.Candidate, world.StateOf("new"));
        Assert.Equal(PinState.Active, world.StateOf("old"));
        var finding = Assert.Single(result.Findings, finding => finding.Kind == FindingKind.NewKey);
        Assert.Equal([RotationScenario.KeyOf("old")], finding.Expected);
        Assert.Equal(RotationScenario.KeyOf("new"), Assert.Single(finding.Seen).PublicKey);
        Assert.Equal("policyctl pin approve example.com", finding.Remedy);
        Assert.Equal("validation-failure", finding.Outcome?.ResultType());
    }

    [Fact]
    public void A_new_key_counts_for_the_brake_once()
    {
        world.Pin("old");
        world.See(A, "new");
        world.Step();
        world.Now = world.Now.AddHours(4);
        world.See(A, "new");

        Assert.False(world.Step().NewKeySeen);
    }

    [Fact]
    public void Every_host_that_shows_a_new_key_counts_since_it_did()
    {
        world.Pin("old");
        world.Server("192.0.2.2", "mx2.example");
        world.Server("192.0.2.3", "mx2.example");
        var (first, host) = (world.Now, "mx.example");
        world.See(A, "new");
        world.See("192.0.2.2", "new");
        world.See("192.0.2.3", "old");
        Assert.Equal([new HostWithNewKey(host, first), new HostWithNewKey("mx2.example", first)], world.Step().NewKeys);

        // Again, and at another address of a host that counts already; a candidate by now, and as new as before.
        world.Now = world.Now.AddHours(4);
        world.See(A, "new");
        world.See("192.0.2.2", "old");
        world.See("192.0.2.3", "new");
        Assert.Equal([new HostWithNewKey(host, first), new HostWithNewKey("mx2.example", first)], world.Step().NewKeys);

        world.Now = world.Now.AddHours(21);
        world.See(A, "new");
        Assert.Empty(world.Step().NewKeys);
    }

    [Fact]
    public void A_server_that_alternates_between_two_keys_is_not_new_each_time()
    {
        world.Pin("old");
        world.See(A, "other");
        world.Step();
        world.Days(3, () => world.See(A, "old"));
        world.See(A, "other");

        Assert.Empty(world.Step().NewKeys);
    }

    [Fact]
    public void A_key_that_was_announced_or_rejected_is_not_new()
    {
        world.Pin("old");
        world.Pin("announced", PinState.Candidate);
        world.Pin("standby", PinState.Standby);
        world.Pin("rejected", PinState.Rejected);
        foreach (var key in (string[])["announced", "standby", "rejected"])
        {
            world.Now = world.Now.AddHours(1);
            world.See(A, key);
            Assert.Empty(world.Step().NewKeys);
        }
    }

    [Fact]
    public void A_renewal_with_the_same_key_needs_nothing()
    {
        world.Pin("old");
        world.See(A, RotationScenario.Certificate("renewed", key: "old"));

        Assert.Empty(world.Step().Transitions);
    }

    [Fact]
    public void A_matching_secure_TLSA_record_promotes_after_its_wait()
    {
        Dane();
        world.See(A, "new");

        var first = world.Step();
        Assert.Equal(PinState.Candidate, world.StateOf("new"));
        world.Now = world.Now.AddMinutes(14);
        Assert.Equal(world.Now.AddMinutes(1), world.Step().ReconsiderAt);
        Assert.Equal(PinState.Candidate, world.StateOf("new"));
        world.Now = world.Now.AddMinutes(1);
        var last = world.Step();

        Assert.True(first.NewKeySeen);
        Assert.Equal(PinState.Active, world.StateOf("new"));
        Assert.Equal(PinStrength.Dane, Assert.Single(last.Transitions).Strength);
        Assert.Equal(PinState.Active, world.StateOf("old"));
    }

    [Fact]
    public void The_end_of_the_pass_ends_the_wait()
    {
        Dane();
        world.See(A, "new");
        world.Step();
        world.Now = world.Now.AddSeconds(5);
        world.Brake = RotationScenario.Counted(100, 1, world.Now, world.Now);

        world.Step();

        Assert.Equal(PinState.Active, world.StateOf("new"));
    }

    [Fact]
    public void An_insecure_zone_proves_nothing()
    {
        Dane();
        world.Mx = world.Mx with { Dnssec = DnssecStatus.Unknown };

        world.Days(3, () => world.See(A, "new"));

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void In_mode_locked_even_DANE_only_proposes()
    {
        Dane();
        world.Mode = PinMode.Locked;

        world.Days(20, () => world.See(A, "new"));

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
        Assert.Equal(PinState.Active, world.StateOf("old"));
    }

    [Fact]
    public void A_trusted_chain_promotes_in_auto_after_a_day()
    {
        WebPki(PinMode.Auto);

        world.Days(0.9, () => world.See(A, "new", trusted: true), everyHours: 4);
        Assert.Equal(PinState.Candidate, world.StateOf("new"));
        world.Days(0.4, () => world.See(A, "new", trusted: true), everyHours: 4);

        Assert.Equal(PinState.Active, world.StateOf("new"));
        Assert.Equal(PinStrength.WebPki, world.Pins.Find(pin => pin.Fingerprint == RotationScenario.KeyOf("new"))!.Strength);
    }

    [Fact]
    public void A_day_with_two_probes_is_not_enough()
    {
        WebPki(PinMode.Auto);

        world.Days(2, () => world.See(A, "new", trusted: true), everyHours: 25);

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void A_probe_that_finds_the_chain_untrusted_starts_the_hold_down_again()
    {
        WebPki(PinMode.Auto);
        world.Days(0.9, () => world.See(A, "new", trusted: true), everyHours: 4);
        world.See(A, "new", trusted: false);
        world.Now = world.Now.AddHours(1);
        world.See(A, "new", trusted: false);

        world.Days(0.4, () => world.See(A, "new", trusted: true), everyHours: 4);

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void In_mode_assist_a_trusted_chain_only_proposes()
    {
        WebPki(PinMode.Assist);

        world.Days(20, () => world.See(A, "new", trusted: true), everyHours: 4);

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void A_trusted_chain_for_another_name_proves_nothing()
    {
        WebPki(PinMode.Auto);
        var other = RotationScenario.Certificate("new", host: "mx.attacker.test");

        world.Days(3, () => world.See(A, other, trusted: true), everyHours: 4);

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void A_trusted_chain_for_a_name_that_DNS_alone_gave_proves_nothing()
    {
        world.Mode = PinMode.Auto;
        world.Pin("old");
        world.See(A, "old");
        world.Step();

        world.Days(3, () => world.See(A, "new", trusted: true), everyHours: 4);

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void A_bracketed_next_hop_authenticates_the_name()
    {
        world.Mode = PinMode.Auto;
        world.Mx = world.Mx with { HostIsGiven = true };
        world.Pin("old");
        world.See(A, "old");
        world.Step();

        world.Days(3, () => world.See(A, "new", trusted: true), everyHours: 4);

        Assert.Equal(PinState.Active, world.StateOf("new"));
    }

    [Fact]
    public void A_man_in_the_middle_on_one_of_two_addresses_is_never_promoted_and_degrades()
    {
        WebPki(PinMode.Auto);
        world.Server(B);
        DestinationVerdict verdict = default;

        world.Days(10, () =>
        {
            world.See(A, "old", trusted: true);
            world.See(B, "new", trusted: true);
            verdict = world.Evaluate().Verdict;
        }, everyHours: 4);

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
        Assert.Equal(DestinationVerdict.Degraded, verdict);
        var finding = Assert.Single(world.Evaluate().Findings);
        Assert.Equal((FindingKind.NewKey, FindingSeverity.MailWillWait), (finding.Kind, finding.Severity));
        Assert.Contains("some address would be refused: mail goes through the others", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replaced_pin_retires_after_48_hours_and_goes_after_14_days()
    {
        world.Pin("old");
        world.Pin("new");
        world.See(A, "old");
        world.Step();

        world.Days(2, () => world.See(A, "new"));
        Assert.Equal(PinState.Active, world.StateOf("old"));
        world.Days(1, () => world.See(A, "new"));
        Assert.Equal(PinState.Retiring, world.StateOf("old"));
        world.Days(10, () => world.See(A, "new"));
        Assert.Equal(PinState.Retiring, world.StateOf("old"));
        world.Days(2, () => world.See(A, "new"));

        Assert.Equal(PinState.Retired, world.StateOf("old"));
        Assert.Equal(PinState.Active, world.StateOf("new"));
    }

    [Fact]
    public void Two_probes_do_not_retire_however_far_apart()
    {
        world.Pin("old");
        world.Pin("new");
        world.See(A, "old");
        world.Step();

        world.Days(60, () => world.See(A, "new"), everyHours: 24 * 30);

        Assert.Equal(PinState.Active, world.StateOf("old"));
    }

    [Fact]
    public void A_pin_stays_while_one_address_still_presents_it()
    {
        world.Server(B);
        world.Pin("old");
        world.Pin("new");

        world.Days(60, () =>
        {
            world.See(A, "new");
            world.See(B, "old");
        });

        Assert.Equal(PinState.Active, world.StateOf("old"));
    }

    [Fact]
    public void A_backup_that_is_down_for_weeks_keeps_its_pin_while_the_others_rotate()
    {
        world.Server(B, "backup.example");
        world.Pin("old");
        world.Pin("backup");
        world.Days(5, () =>
        {
            world.See(A, "old");
            world.See(B, "backup");
        });
        world.Pin("new");

        world.Days(60, () =>
        {
            world.See(A, "new");
            world.Fail(B, ProbeOutcome.Timeout);
        });

        Assert.Equal(PinState.Active, world.StateOf("backup"));
        Assert.Equal(PinState.Retired, world.StateOf("old"));
    }

    [Fact]
    public void A_pin_last_seen_at_an_address_that_DNS_no_longer_names_stays_with_a_finding()
    {
        world.Server(B);
        world.Pin("old");
        world.Pin("other");
        world.Days(3, () =>
        {
            world.See(A, "other");
            world.See(B, "old");
        });
        world.Unlist(B);

        world.Days(60, () => world.See(A, "other"));

        Assert.Equal(PinState.Active, world.StateOf("old"));
        var finding = Assert.Single(world.Evaluate().Findings, finding => finding.Kind == FindingKind.PinHeld);
        Assert.Equal($"policyctl pin revoke example.com {RotationScenario.KeyOf("old")}", finding.Remedy);
    }

    [Fact]
    public void A_pin_last_seen_at_an_address_that_is_down_now_stays_although_the_address_showed_another_for_weeks()
    {
        world.Server(B, "mx2.example");
        world.Pin("old");
        world.Pin("new");
        world.Days(3, () =>
        {
            world.See(A, "new");
            world.See(B, "old");
        });
        world.Brake = RotationScenario.Counted(100, 20, null, world.Now); // nothing retires meanwhile
        world.Days(20, () =>
        {
            world.See(A, "new");
            world.See(B, "new");
        });
        world.Brake = default;

        world.Days(40, () =>
        {
            world.See(A, "new");
            world.Fail(B, ProbeOutcome.Timeout);
        });
        Assert.Equal(PinState.Active, world.StateOf("old"));

        world.Days(1, () =>
        {
            world.See(A, "new");
            world.See(B, "new");
        });
        Assert.NotEqual(PinState.Active, world.StateOf("old"));
    }

    [Theory]
    [InlineData(47, 3, PinState.Active)]
    [InlineData(48, 2, PinState.Active)]
    [InlineData(48, 3, PinState.Retiring)]
    public void Retiring_begins_after_48_hours_and_three_probes_of_every_address(int hours, int probes, PinState expected)
    {
        world.Pin("old");
        world.Pin("new");
        world.See(A, "old");
        world.Step();
        world.Now = world.Now.AddHours(1);
        for (var probe = 0; probe < probes; probe++)
        {
            if (probe > 0)
                world.Now = world.Now.AddHours((double)hours / (probes - 1));
            world.See(A, "new");
        }

        world.Step();

        Assert.Equal(expected, world.StateOf("old"));
    }

    [Fact]
    public void The_last_served_pin_never_retires()
    {
        world.Pin("old");
        world.See(A, "old");
        world.Step();

        world.Days(100, () => world.See(A, "other"), everyHours: 24);

        Assert.Equal(PinState.Active, world.StateOf("old"));
    }

    [Fact]
    public void A_certificate_algorithm_that_the_server_dropped_lets_its_pin_go()
    {
        world.Pin("rsa");
        world.Pin("ecdsa");
        var rsa = RotationScenario.Certificate("rsa", algorithm: KeyAlgorithm.Rsa, bits: 2048);
        var ecdsa = RotationScenario.Certificate("ecdsa");
        world.Days(3, () => world.Observe(A, ProbeOutcome.Secured, [(ecdsa, false), (rsa, false)]));

        world.Days(1, () => world.Observe(A, ProbeOutcome.Secured, [(ecdsa, false)], KeyAlgorithm.Rsa));
        Assert.Equal(PinState.Active, world.StateOf("rsa"));
        world.Days(30, () => world.Observe(A, ProbeOutcome.Secured, [(ecdsa, false)], KeyAlgorithm.Rsa));

        Assert.Equal(PinState.Retired, world.StateOf("rsa"));
    }

    [Fact]
    public void An_algorithm_that_was_not_asked_for_keeps_its_pin()
    {
        world.Pin("rsa");
        world.Pin("ecdsa");
        var rsa = RotationScenario.Certificate("rsa", algorithm: KeyAlgorithm.Rsa, bits: 2048);
        var ecdsa = RotationScenario.Certificate("ecdsa");
        world.Days(3, () => world.Observe(A, ProbeOutcome.Secured, [(ecdsa, false), (rsa, false)]));

        world.Days(60, () => world.Observe(A, ProbeOutcome.Secured, [(ecdsa, false)]));

        Assert.Equal(PinState.Active, world.StateOf("rsa"));
    }

    [Fact]
    public void The_brake_stops_every_promotion()
    {
        Dane();
        world.Brake = RotationScenario.Counted(100, 20, null, world.Now);

        world.Days(3, () => world.See(A, "new"));

        Assert.Equal(PinState.Candidate, world.StateOf("new"));
    }

    [Fact]
    public void An_announced_key_is_served_as_standby_and_becomes_active_when_seen()
    {
        Dane();
        world.Tlsa.Add(RotationScenario.TlsaOf("old"));
        world.Tlsa.RemoveAll(record => record == RotationScenario.TlsaOf("new"));
        world.Tlsa.Add(RotationScenario.TlsaOf("next"));
        world.See(A, "old");
        world.Step();
        Assert.Equal(PinState.Candidate, world.StateOf("next"));
        world.Now = world.Now.AddMinutes(15);
        world.Step();
        Assert.Equal(PinState.Standby, world.StateOf("next"));

        world.Now = world.Now.AddHours(1);
        world.See(A, "next");
        var result = world.Step();

        Assert.Equal(PinState.Active, world.StateOf("next"));
        Assert.Equal(DestinationVerdict.Ok, result.Verdict);
    }

    [Fact]
    public void An_announcement_beside_a_mismatch_is_not_believed()
    {
        world.Pin("old");
        world.Secure();
        world.Tlsa.Add(RotationScenario.TlsaOf("next"));

        world.Days(3, () => world.See(A, "old"));

        Assert.Null(world.StateOf("next"));
        Assert.Contains(world.Evaluate().Findings, finding => finding.Kind == FindingKind.TlsaMismatch);
    }

    [Fact]
    public void An_unseen_standby_expires_after_30_days()
    {
        world.Pin("old");
        world.Pin("next", PinState.Standby);

        world.Days(29.5, () => world.See(A, "old"));
        Assert.Equal(PinState.Standby, world.StateOf("next"));
        world.Days(1, () => world.See(A, "old"));

        Assert.Equal(PinState.Retired, world.StateOf("next"));
    }

    [Fact]
    public void An_unseen_standby_that_is_the_last_pin_stays_with_a_finding()
    {
        world.Pin("next", PinState.Standby);

        world.Days(40, () => world.See(A, "other"));

        Assert.Equal(PinState.Standby, world.StateOf("next"));
        var finding = Assert.Single(world.Evaluate().Findings);
        Assert.Equal(FindingKind.NewKey, finding.Kind);
        Assert.Contains("the only pin was announced more than 30 days ago and has never been seen", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rejected_key_is_an_alarm_and_never_a_candidate_again()
    {
        Dane();
        world.Pin("new", PinState.Rejected);

        world.Days(40, () => world.See(A, "new"));

        Assert.Equal(PinState.Rejected, world.StateOf("new"));
        Assert.Contains(world.Evaluate().Findings, finding => finding.Kind == FindingKind.RejectedKeySeen);
    }

    [Fact]
    public void A_key_whose_certificate_was_rejected_is_not_proposed()
    {
        world.Pin("old");
        var certificate = RotationScenario.Certificate("new");
        world.Pins.Add(new Pin(
            certificate.Digest(PinSubject.Certificate, DigestAlgorithm.Sha1), PinSubject.Certificate, PinState.Rejected,
            PinStrength.Person, world.Now));
        world.See(A, certificate);

        Assert.Empty(world.Step().Transitions);
    }

    [Fact]
    public void A_retired_key_that_comes_back_is_a_candidate()
    {
        world.Pin("old");
        world.Pin("former", PinState.Retired);
        world.See(A, "former");

        Assert.True(world.Step().NewKeySeen);
        Assert.Equal(PinState.Candidate, world.StateOf("former"));
    }

    [Fact]
    public void A_candidate_that_has_gone_leaves_after_30_days()
    {
        world.Pin("old");
        world.See(A, "once");
        world.Step();

        world.Days(31, () => world.See(A, "old"));

        Assert.Equal(PinState.Retired, world.StateOf("once"));
    }

    [Fact]
    public void Candidates_have_an_end()
    {
        world.Pin("old");
        for (var i = 0; i < 100; i++)
        {
            world.Now = world.Now.AddHours(1);
            world.See(A, $"new {i}");
            world.Step();
        }

        Assert.Equal(16, world.Pins.Count(pin => pin.State == PinState.Candidate));
        Assert.Contains(world.Evaluate().Findings, finding => finding.Kind == FindingKind.TooManyKeys);
    }

    [Fact]
    public void Many_keys_of_a_stranger_do_not_keep_out_the_one_with_a_TLSA_record()
    {
        world.Pin("old");
        for (var i = 0; i < 20; i++)
        {
            world.Now = world.Now.AddHours(1);
            world.See(A, $"stranger {i}");
            world.Step();
        }

        world.Secure();
        world.Tlsa.Add(RotationScenario.TlsaOf("new"));
        world.Now = world.Now.AddDays(10);
        world.See(A, "new");
        world.Step();
        Assert.Equal(PinState.Candidate, world.StateOf("new"));
        world.Now = world.Now.AddMinutes(15);
        world.Step();

        Assert.Equal(PinState.Active, world.StateOf("new"));
    }

    private void Dane()
    {
        world.Pin("old");
        world.Secure();
        world.See(A, "old");
        world.Step();
        world.Tlsa.Add(RotationScenario.TlsaOf("new"));
        world.Now = world.Now.AddHours(1);
    }

    private void WebPki(PinMode mode)
    {
        world.Mode = mode;
        world.Pin("old");
        world.Secure();
        world.See(A, "old");
        world.Step();
    }
}
