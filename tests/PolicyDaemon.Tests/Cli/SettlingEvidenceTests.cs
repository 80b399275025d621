using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>A new key that the partner's signed zone names, before it is followed: <c>explain</c>, <c>probe</c> and <c>status KEY</c> say what becomes of it.</summary>
public sealed class SettlingEvidenceTests : IAsyncDisposable
{
    private const string Host = "mx.partner.test";
    private const string Named = "the partner's signed zone names the new key (DANE)";

    private static readonly X509Certificate2 Old = TestCertificates.Create([Host], selfSigned: true);
    private static readonly X509Certificate2 New = TestCertificates.Create([Host], selfSigned: true);

    private readonly ProbedNetwork network = new(trusted: true);
    private X509Certificate2 shown = Old;

    public ValueTask DisposeAsync() => network.DisposeAsync();

    [Fact]
    public void That_policyd_will_follow_it_is_told_with_the_time()
    {
        var key = Rotated("assist");

        var probe = network.Session.Run("probe", key, "--format", "table").Out;

        Assert.Contains($"evidence      {Named}: policyd follows it by itself, at 2026-", probe, StringComparison.Ordinal);
        Assert.Contains($"{Named}: policyd follows it by itself, at 2026-", network.Session.Run("explain", key, "--format", "table").Out, StringComparison.Ordinal);
        Assert.Contains($"{key}: {Named}: policyd follows it by itself", network.Session.Run("status", key, "--format", "table").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void What_holds_it_back_is_told()
    {
        var key = Rotated("assist");
        network.Session.Run("probe", key);
        using (var store = PolicyStore.Open(network.Session.Store, StoreAccess.Write, network.Session.Time))
            store.RaiseFinding(new Finding(FindingKind.BrakeOn, "prober", "20 of 100 MX hosts show a new key", "policyctl status --kind new-key", network.Session.Time.GetUtcNow()));

        Assert.Contains(
            $"{Named}, and it is not followed by itself: the brake is on, 20 of 100 MX hosts show a new key", network.Session.Run("explain", key, "--format", "table").Out, StringComparison.Ordinal);

        network.Session.Succeed("domain", "set", key, "--mode", "locked");
        Assert.Contains("not followed by itself: mode locked leaves every pin to a person", network.Session.Run("status", key, "--format", "table").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_zone_names_it_not_nothing_is_promised()
    {
        var key = Rotated("assist", isNamed: false);
        network.Session.Run("probe", key);

        Assert.DoesNotContain(Named, network.Session.Run("explain", key, "--format", "table").Out, StringComparison.Ordinal);
    }

    private string Rotated(string mode, bool isNamed = true)
    {
        network.Serve(() => shown);
        var key = network.Domain("partner.test", Host, secure: true, "127.0.0.1");
        network.Dns.Set($"_{network.Port}._tcp.{Host}", FakeDnsServer.Tlsa, new FakeDnsReply { Authentic = true });
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Old), "--mode", mode);
        network.Session.Run("probe", key);
        shown = New;
        if (isNamed)
            network.Tlsa(Host, New);
        network.Session.Time.Advance(TimeSpan.FromMinutes(10));
        return key;
    }
}
