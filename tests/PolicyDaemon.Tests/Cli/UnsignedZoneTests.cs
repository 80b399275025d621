using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Store.Probing;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>A zone that was signed and is not any more: an attack may look like that, or a partner has given DNSSEC up, which a person says.</summary>
public sealed class UnsignedZoneTests : IAsyncDisposable
{
    private readonly ProbedNetwork network = new(trusted: true);
    private readonly string key;

    public UnsignedZoneTests()
    {
        var certificate = TestCertificates.SelfSigned("mx.partner.test");
        network.Serve(certificate);
        key = network.Domain("partner.test", "mx.partner.test", secure: true, "127.0.0.1");
        Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(certificate));
        Probe();
        Sign(false);
        Probe();
        Assert.True(IsLost());
    }

    private CliSession Session => network.Session;

    public ValueTask DisposeAsync() => network.DisposeAsync();

    [Fact]
    public void A_person_says_that_it_is_meant_with_a_reason_and_the_finding_ends()
    {
        var refused = Session.Run("domain", "set", key, "--accept-unsigned");
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("were signed and need not be any more", refused.Error, StringComparison.Ordinal);
        Assert.True(IsLost());
        Session.Succeed("domain", "set", key, "--accept-unsigned", "--dry-run");
        Assert.True(IsLost());

        Session.Succeed("domain", "set", key, "--accept-unsigned", "--reason", "no DNSSEC until May");

        Assert.False(IsLost());
        Assert.Contains("\tno DNSSEC until May\t", Session.Succeed("audit", key, "--limit", "1"), StringComparison.Ordinal);
        Session.Succeed("audit", "--verify");
        Probe();
        Assert.False(IsLost());
    }

    [Fact]
    public void A_zone_that_is_signed_again_may_be_lost_again()
    {
        Session.Succeed("domain", "set", key, "--accept-unsigned", "--reason", "no DNSSEC until May");
        Sign(true);
        Probe();
        Assert.Contains("nothing to accept", Session.Run("domain", "set", key, "--accept-unsigned", "--reason", "once more").Error, StringComparison.Ordinal);

        Sign(false);
        Probe();

        Assert.True(IsLost());
    }

    [Fact]
    public void Undo_says_what_takes_it_back()
    {
        Session.Succeed("domain", "set", key, "--accept-unsigned", "--reason", "no DNSSEC until May");

        var refused = Session.Run("undo", Session.Notes[^1].Split(' ')[0]);

        Assert.Equal(ExitCode.Negative, refused.Code);
        Assert.Contains("taken back by the probe that finds it signed again", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_probe_that_began_before_the_decision_does_not_undo_it()
    {
        using var ledger = new ProbeLedger(Session.Store, PostfixSettings.Default, Session.Time);
        var under = ledger.Read(NextHop.Parse(key))!;
        Session.Succeed("domain", "set", key, "--accept-unsigned", "--reason", "no DNSSEC until May");

        ledger.Record(new ProbeResult
        {
            Key = under.Key, At = Session.Time.GetUtcNow(), Resolution = under.LastResolution!, Targets = under.Targets, SecureSince = null, WasSecure = under.WasSecure,
            TrustedHosts = under.TrustedHosts, Result = new RotationResult([], [], default, false, false, null), NextDue = Session.Time.GetUtcNow(),
        });

        Assert.True(under.WasSecure);
        Assert.False(ledger.Read(under.Key)!.WasSecure);
    }

    private void Sign(bool isSigned)
    {
        network.Dns.Set("partner.test", FakeDnsServer.Mx, new FakeDnsReply());
        network.Dns.AddMx("partner.test", 10, "mx.partner.test", isSigned);
    }

    private void Probe()
    {
        Session.Time.Advance(TimeSpan.FromHours(1));
        Session.Run("probe", key);
    }

    private bool IsLost()
    {
        using var store = PolicyStore.Open(Session.Store, StoreAccess.Read, Session.Time);
        return store.OpenFindings().Any(open => open.Finding.Kind == FindingKind.DnssecLost);
    }
}
