using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Store.Probing;
using Xunit;
using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Cli;

/// <summary>From an old table whose pins Postfix cannot compare any more to pins that it can, without trusting anything new.</summary>
public sealed class DigestMigrationTests : IDisposable
{
    private static readonly IPAddress Server = IPAddress.Parse("192.0.2.1");

    private readonly CliSession session = new();
    private readonly CertificateNetwork network;

    public DigestMigrationTests() =>
        network = new CertificateNetwork(session.Time, _ => Server) { Otherwise = Certificate(0) };

    [Theory]
    [InlineData("public key")]
    [InlineData("certificate")]
    public async Task A_sha1_pin_is_carried_over_when_a_probe_sees_what_it_names(string of)
    {
        var subject = of == "certificate" ? PinSubject.Certificate : PinSubject.PublicKey;
        Import(Certificate(0).Digest(subject, DigestAlgorithm.Sha1));
        var converted = Certificate(0).Digest(subject, DigestAlgorithm.Sha256).Hex;

        await ProbeAsync();

        var pins = session.Succeed("pin", "list", "example.com");
        Assert.Contains($"{Certificate(0).Digest(subject, DigestAlgorithm.Sha1).Hex}\tsha1\tunknown\tretired\tperson\t", pins, StringComparison.Ordinal);
        Assert.Contains($"{converted}\tsha256\t{subject.Name()}\tactive\tperson\t", pins, StringComparison.Ordinal);
        Assert.Contains("prober, rule converted, change 3: sha1 pin", pins, StringComparison.Ordinal);
        // The public key stands beside a pinned certificate as a proposal, and nothing more.
        Assert.Equal(subject == PinSubject.Certificate, pins.Contains($"{KeyOf(0).Hex}\tsha256\tpublic-key\tcandidate\t", StringComparison.Ordinal));

        session.Succeed("domain", "set", "example.com", "--enforce");
        Assert.Contains($"answer\tfingerprint match={converted}\n", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
        session.Succeed("audit", "--verify");
    }

    [Fact]
    public async Task A_pin_that_names_something_else_is_not_carried_over()
    {
        Import(KeyOf(1, DigestAlgorithm.Sha1));

        await ProbeAsync();

        var pins = session.Succeed("pin", "list", "example.com");
        Assert.Contains($"{KeyOf(1, DigestAlgorithm.Sha1).Hex}\tsha1\tunknown\tactive\t", pins, StringComparison.Ordinal);
        Assert.Contains($"{KeyOf(0).Hex}\tsha256\tpublic-key\tcandidate\t", pins, StringComparison.Ordinal);
        Assert.Equal(2, pins.TrimEnd().Split('\n').Length);
    }

    [Theory]
    [InlineData(DigestAlgorithm.Md5, "assist")]
    [InlineData(DigestAlgorithm.Sha1, "locked")]
    public async Task A_person_decides_about_md5_and_in_mode_locked(DigestAlgorithm digest, string mode)
    {
        Import(KeyOf(0, digest));
        session.Succeed("domain", "set", "example.com", "--mode", mode);

        await ProbeAsync();

        Assert.Contains($"{KeyOf(0).Hex}\tsha256\tpublic-key\tcandidate\t", session.Succeed("pin", "list", "example.com"), StringComparison.Ordinal);
        session.Succeed("pin", "approve", "example.com", KeyOf(0).Hex);
        Assert.Contains($"{KeyOf(0, digest).Hex}\t{digest.Name()}\tunknown\tretired\t", session.Succeed("pin", "list", "example.com"), StringComparison.Ordinal);
        session.Succeed("domain", "set", "example.com", "--enforce");
        Assert.Contains($"answer\tfingerprint match={KeyOf(0).Hex}\n", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    public void Dispose() => session.Dispose();

    private void Import(Fingerprint pin)
    {
        var table = session.Write("tls_policy", $"example.com fingerprint match={pin.ToDisplayString()}\n");
        session.Succeed("import", "--unservable", "observe", table);
    }

    private async Task ProbeAsync()
    {
        session.Time.Advance(TimeSpan.FromMinutes(1));
        using var ledger = new ProbeLedger(session.Store, PostfixSettings.Default, session.Time);
        using var probe = new DestinationProbe(ledger, network, network, new ScheduleOptions(), PostfixSettings.Default, session.Time, GateMemory.Ledger);
        await probe.RunAsync(NextHop.Parse("example.com"), ProbeReason.Person, null, TestContext.Current.CancellationToken);
    }
}
