using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using Xunit;

using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Cli;

/// <summary>What is on record of a destination makes a change of its pins take a reason, by whatever command the change comes.</summary>
public sealed class PinCautionTests : IDisposable
{
    private static readonly string Old = KeyOf(0).Hex;
    private static readonly string New = KeyOf(1).Hex;
    private static readonly string Other = KeyOf(2).Hex;
    private static readonly string Rsa = KeyOf(3).Hex;

    private readonly ProbedSession session = new();

    [Theory]
    [InlineData(FindingKind.MxSetReplaced)]
    [InlineData(FindingKind.TlsaMismatch)]
    [InlineData(FindingKind.DnssecLost)]
    [InlineData(FindingKind.RejectedKeySeen)]
    [InlineData(FindingKind.RevokedKeySeen)]
    public void While_an_attack_is_not_excluded_every_way_of_serving_other_pins_takes_a_reason(FindingKind kind)
    {
        Pinned();
        Suspect(kind);
        var table = session.Cli.Write("table", $"a.example fingerprint match={New}\n");

        Refused("pin", "add", "a.example", Rsa);
        Refused("pin", "approve", "a.example", New);
        Refused("pin", "revoke", "a.example", Other);
        Refused("pin", "reject", "a.example", Other);
        Refused("domain", "set", "a.example", "--match", New);
        Refused("apply", table);
        Refused("import", table, "--replace");
        Refused("undo", "4");
        Assert.Equal($"{Old}|{Other}", Served());

        void Refused(params string[] command)
        {
            var refused = session.Cli.Run(command);
            Assert.Equal(ExitCode.Usage, refused.Code);
            Assert.Contains("an attack is not excluded, so this needs --reason", refused.Error, StringComparison.Ordinal);
            Assert.Contains($"somebody else may answer in the place of a.example ({kind.Name()} since 2026-11-23 12:00 UTC: what was seen)", refused.Error, StringComparison.Ordinal);
            Assert.Contains("look first: policyctl check a.example", refused.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_reason_is_enough_and_a_dry_run_tells_of_it()
    {
        Pinned();
        Suspect(FindingKind.MxSetReplaced);

        var tried = session.Cli.Run("pin", "add", "a.example", New, "--dry-run", "--format", "table");
        session.Cli.Succeed("pin", "add", "a.example", New, "--reason", "they read it out to me");

        Assert.Contains("weakens: somebody else may answer in the place of a.example", tried.Out, StringComparison.Ordinal);
        Assert.Contains("This will need --reason.", tried.Out, StringComparison.Ordinal);
        Assert.Equal($"{Old}|{New}|{Other}", Served());
    }

    [Fact]
    public void What_serves_no_other_pins_takes_none()
    {
        Pinned();
        Suspect(FindingKind.MxSetReplaced);

        session.Cli.Succeed("domain", "set", "a.example", "--note", "ask Alice");
        session.Cli.Succeed("pin", "add", "a.example", Old);
        session.Cli.Succeed("pin", "reject", "a.example", New);
        session.Cli.Succeed("domain", "add", "b.example", "--level", "fingerprint", "--match", Old);
        session.Cli.Succeed("pin", "add", "b.example", New);
    }

    [Fact]
    public void Automation_is_judged_by_what_its_own_probe_saw()
    {
        Pinned();
        Suspect(FindingKind.MxSetReplaced);

        session.Probe("a.example", [1], DestinationVerdict.Ok, [Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)]);

        Assert.Equal($"{Old}|{New}|{Other}", Served());
    }

    [Fact]
    public void A_key_that_is_weaker_than_those_that_are_trusted_takes_a_reason_whichever_way_it_comes()
    {
        session.Cli.Succeed("domain", "add", "a.example", "--level", "fingerprint", "--match", Old);
        session.Probe("a.example", [0], DestinationVerdict.Ok);
        session.Cli.Time.Advance(TimeSpan.FromHours(1));
        // RSA 2048 has 112 bits, P-256 has 128.
        session.Probe("a.example", [3], DestinationVerdict.Mismatch, [Move(3, null, PinState.Candidate, RotationRule.FirstSeen)]);
        var table = session.Cli.Write("table", $"a.example fingerprint match={Old} match={Rsa}\n");

        Refused("pin", "add", "a.example", Rsa);
        Refused("domain", "set", "a.example", "--match", Rsa);
        Refused("apply", table);
        Refused("import", table, "--replace");
        session.Cli.Succeed("apply", table, "--reason", "an old machine");
        Assert.Equal($"{Old}|{Rsa}", Served());
        // The same key again, as a whole certificate.
        session.Cli.Succeed("pin", "add", "a.example", Certificate(3).Digest(PinSubject.Certificate, DigestAlgorithm.Sha256).Hex);
        session.Cli.Succeed("pin", "revoke", "a.example", Rsa);

        void Refused(params string[] command)
        {
            var refused = session.Cli.Run(command);
            Assert.Equal(ExitCode.Usage, refused.Code);
            Assert.Contains("this weakens what is enforced now, so it needs --reason", refused.Error, StringComparison.Ordinal);
            Assert.Contains($"the key {Rsa} has a strength of 112 bits, the weakest that is trusted now 128", refused.Error, StringComparison.Ordinal);
        }
    }

    public void Dispose() => session.Dispose();

    /// <summary>A pin, a candidate, and another pin, which change 4 added.</summary>
    private void Pinned()
    {
        session.Cli.Succeed("domain", "add", "a.example", "--level", "fingerprint", "--match", Old);
        session.Probe("a.example", [1], DestinationVerdict.Mismatch, [Move(1, null, PinState.Candidate, RotationRule.FirstSeen)]);
        session.Cli.Succeed("pin", "add", "a.example", Other);
    }

    private void Suspect(FindingKind kind) => session.Probe("a.example", [1], DestinationVerdict.Mismatch, findings: [Finding(kind)]);

    private string Served() => session.Cli.Succeed("domain", "show", "a.example").Split('\n').First(line => line.StartsWith("answer\t", StringComparison.Ordinal))
        .Split("match=")[1];
}
