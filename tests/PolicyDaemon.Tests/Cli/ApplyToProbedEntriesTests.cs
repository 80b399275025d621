using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using Xunit;

using static PolicyDaemon.Tests.Store.Probing.LedgerFixture;

namespace PolicyDaemon.Tests.Cli;

/// <summary>A file is applied again after the prober moved pins of the entries that it declares.</summary>
public sealed class ApplyToProbedEntriesTests : IDisposable
{
    private static readonly string Old = KeyOf(0).Hex;
    private static readonly string New = KeyOf(1).Hex;
    private static readonly string OldSha1 = KeyOf(0, DigestAlgorithm.Sha1).Hex;

    private readonly ProbedSession session = new();

    [Fact]
    public void A_pin_that_evidence_brought_stays_but_where_the_file_locks_the_entry()
    {
        Declare($"match={Old}");
        session.Probe("a.example", [1], DestinationVerdict.Mismatch, [Move(1, null, PinState.Candidate, RotationRule.FirstSeen)]);
        session.Probe("a.example", [1], DestinationVerdict.Ok, [Move(1, PinState.Candidate, PinState.Active, RotationRule.Dane)]);

        var kept = Declare($"match={Old}");

        Assert.Contains($"the pin {New} came by the rule dane, is not in the file and stays", kept.Error, StringComparison.Ordinal);
        Assert.Contains("so already", kept.Error, StringComparison.Ordinal);
        Assert.Equal($"{Old}|{New}", Served());
        Declare($"match={Old} mode=locked");
        Assert.Equal(Old, Served());
    }

    [Fact]
    public void A_pin_that_was_carried_over_to_the_digest_that_is_served_stays_so_however_often_the_file_is_applied()
    {
        var file = $"observe=yes match={OldSha1} match={New}";
        Declare(file);
        session.Probe(
            "a.example", [0], DestinationVerdict.Ok,
            [
                Move(0, null, PinState.Active, RotationRule.Converted) with { Strength = PinStrength.Person },
                Move(0, PinState.Active, PinState.Retired, RotationRule.Converted, DigestAlgorithm.Sha1) with { Strength = PinStrength.Person },
            ]);
        session.Cli.Succeed("domain", "set", "a.example", "--enforce");

        var applied = Declare($"match={OldSha1} match={New}");

        Assert.Equal($"{New}|{Old}", Served());
        Assert.Contains("so already", applied.Error, StringComparison.Ordinal);
        Assert.Contains($"the pin {Old} came by the rule converted", applied.Error, StringComparison.Ordinal);
        Assert.Contains($"the pin {OldSha1} was retired by the rule converted and stays so", applied.Error, StringComparison.Ordinal);
        Assert.Contains("so already", Declare($"match={OldSha1} match={New}").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pin_that_a_person_added_is_the_files_although_the_prober_saw_it_in_use_since()
    {
        Declare($"match={Old}");
        session.Cli.Succeed("pin", "add", "a.example", New);
        session.Probe("a.example", [1], DestinationVerdict.Ok, [Move(1, PinState.Standby, PinState.Active, RotationRule.FirstUse)]);

        Declare($"match={Old}");

        Assert.Equal(Old, Served());
    }

    [Fact]
    public void A_candidate_that_was_not_presented_any_more_is_served_where_the_file_names_it()
    {
        Declare($"match={Old}");
        session.Probe("a.example", [1], DestinationVerdict.Mismatch, [Move(1, null, PinState.Candidate, RotationRule.FirstSeen)]);
        session.Cli.Time.Advance(TimeSpan.FromDays(1));
        session.Probe("a.example", [0], DestinationVerdict.Ok, [Move(1, PinState.Candidate, PinState.Retired, RotationRule.CandidateGone)]);

        Declare($"match={Old} match={New}");

        Assert.Equal($"{Old}|{New}", Served());
    }

    public void Dispose() => session.Dispose();

    private CliResult Declare(string attributes)
    {
        session.Cli.Input = $"a.example fingerprint {attributes}\n";
        var result = session.Cli.Run("apply", "-");
        Assert.True(result.Code == PolicyDaemon.Cli.Hosting.ExitCode.Done, result.Error);
        return result;
    }

    private string Served() => session.Cli.Succeed("domain", "show", "a.example").Split('\n').First(line => line.StartsWith("answer\t", StringComparison.Ordinal))
        .Split("match=")[1];
}
