using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using Xunit;

namespace PolicyDaemon.Tests.Core.Rotation;

/// <summary>What always takes a person: each of these with evidence A for the new key, which would otherwise promote it.</summary>
public sealed class HoldsTests
{
    private const string A = "192.0.2.1", B = "192.0.2.2";

    private readonly RotationScenario world = new() { Mode = PinMode.Auto };

    public HoldsTests()
    {
        world.Server(A);
        world.Server(B);
        world.Pin("old");
        world.Secure();
        world.See(A, "old");
        world.See(B, "old");
        world.Step();
        world.Tlsa.Add(RotationScenario.TlsaOf("old"));
        world.Now = world.Now.AddHours(1);
    }

    [Fact]
    public void Nothing_holds_a_key_with_evidence()
    {
        world.Days(1, () => SeeNew(A));

        Assert.Equal(PinState.Active, world.StateOf("new"));
    }

    [Fact]
    public void Starttls_gone()
    {
        Held(FindingKind.StartTlsGone, () =>
        {
            SeeNew(A);
            world.Fail(B, ProbeOutcome.StartTlsNotSupported);
        });
    }

    [Fact]
    public void Plain_text_injected_behind_starttls()
    {
        Held(FindingKind.PlaintextInjected, () =>
        {
            SeeNew(A);
            world.Fail(B, ProbeOutcome.PlaintextInjected);
        });
    }

    [Fact]
    public void Tlsa_present_and_not_matching()
    {
        Held(FindingKind.TlsaMismatch, () =>
        {
            SeeNew(A);
            world.See(B, "stranger");
        });
    }

    [Fact]
    public void Dnssec_secure_before_and_not_now()
    {
        world.Mx = world.Mx with { Dnssec = DnssecStatus.Insecure, HostIsGiven = true };

        Held(FindingKind.DnssecLost, () => SeeNew(A));
    }

    [Fact]
    public void All_keys_new_on_all_mx_with_a_changed_mx_set()
    {
        world.Mx = world.Mx with { Hosts = ["mx.elsewhere.example"] };

        Held(FindingKind.MxSetReplaced, () =>
        {
            SeeNew(A);
            SeeNew(B);
        });
    }

    [Fact]
    public void A_changed_mx_set_with_an_old_key_is_no_reason()
    {
        world.Mx = world.Mx with { Hosts = world.Mx.Hosts.Add("mx2.example") };

        world.Days(1, () =>
        {
            SeeNew(A);
            world.See(B, "old");
        });

        Assert.Equal(PinState.Active, world.StateOf("new"));
    }

    [Fact]
    public void A_weaker_key()
    {
        Held(FindingKind.WeakerKey, () => SeeNew(A, bits: 224));
    }

    [Fact]
    public void A_weaker_key_of_another_algorithm()
    {
        Held(FindingKind.WeakerKey, () => SeeNew(A, KeyAlgorithm.Rsa, 2048));
    }

    [Fact]
    public void The_third_new_key_of_a_host_within_seven_days()
    {
        foreach (var name in new[] { "first", "second" })
        {
            world.Tlsa.Add(RotationScenario.TlsaOf(name));
            world.Days(1, () =>
            {
                world.See(A, name);
                world.See(B, "old");
            });
            Assert.Equal(PinState.Active, world.StateOf(name));
        }

        Held(FindingKind.RotatingTooOften, () => SeeNew(A));
    }

    [Fact]
    public void An_announced_key_that_turns_out_weaker_stays_standby_with_a_finding()
    {
        world.Tlsa.Add(RotationScenario.TlsaOf("new"));
        world.Days(1, () => world.See(A, "old"));
        Assert.Equal(PinState.Standby, world.StateOf("new"));

        world.Days(1, () => SeeNew(A, bits: 224));

        Assert.Equal(PinState.Standby, world.StateOf("new"));
        Assert.Contains(world.Evaluate().Findings, finding => finding.Kind == FindingKind.WeakerKey);
    }

    [Fact]
    public void A_failed_lookup_of_our_own_changes_nothing()
    {
        world.Mx = world.Mx with { IsCurrent = false };

        world.Days(3, () => SeeNew(A));

        Assert.Null(world.StateOf("new"));
    }

    /// <summary>The new key with its TLSA record, which the zone got at the same time.</summary>
    private void SeeNew(string address, KeyAlgorithm algorithm = KeyAlgorithm.Ecdsa, int bits = 256)
    {
        var record = RotationScenario.TlsaOf("new");
        if (!world.Tlsa.Contains(record))
            world.Tlsa.Add(record);
        world.See(address, RotationScenario.Certificate("new", algorithm: algorithm, bits: bits), trusted: true);
    }

    private void Held(FindingKind kind, Action see)
    {
        world.Days(3, see);
        see();

        Assert.NotEqual(PinState.Active, world.StateOf("new"));
        Assert.Equal(PinState.Active, world.StateOf("old"));
        Assert.Contains(world.Evaluate().Findings, finding => finding.Kind == kind);
    }
}
