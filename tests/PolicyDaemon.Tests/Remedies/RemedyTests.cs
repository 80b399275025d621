using System.Text.RegularExpressions;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Remedies;

/// <summary>The remedy of every kind of finding, pasted into a shell in the state that printed it: every day into one, beside the end-to-end tests into the others.</summary>
public sealed partial class RemedyTests
{
    private static readonly RemedyCase[] Cases =
    [
        .. ProbeScenario.Cases, .. ProberScenario.Cases, .. StoreScenario.Cases, .. DaemonScenario.Cases, .. DiscoveredScenario.Cases, .. NodeScenario.Cases,
        .. StatusScenario.Cases,
    ];

    public static TheoryData<string> Names => [.. Cases.Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public Task A_remedy_settles_its_finding_or_looks_and_changes_nothing(string name) => PasteAsync(name, [PastingShells.Everyday]);

    [Theory]
    [MemberData(nameof(Names))]
    [Trait(Part.Name, Part.EndToEnd)]
    public Task So_it_does_in_every_other_shell(string name) => PasteAsync(name, [.. PastingShells.Installed.Where(shell => shell != PastingShells.Everyday)]);

    [Fact]
    [Trait(Part.Name, Part.EndToEnd)]
    public void Every_shell_is_here() =>
        Assert.True(!PastingShells.Missing.Any(), $"not installed, and not pasted into: {string.Join(", ", PastingShells.Missing)}; tests/install-packages e2e installs them");

    [Fact]
    public void Every_kind_has_a_scenario()
    {
        Assert.Empty(FindingKinds.All.Select(row => row.Name).Except(Cases.Select(row => row.Kind.Name())));
        Assert.Equal(Cases.Length, Cases.DistinctBy(row => row.Name).Count());
    }

    private static async Task PasteAsync(string name, IReadOnlyList<string> into)
    {
        var row = Cases.Single(row => row.Name == name);
        Assert.False(row.Settles && row.Kind.Description().IsSuspicious, "while an attack is not excluded a remedy only looks");
        if (row.Settles)
        {
            foreach (var shell in into)
                await SettlesAsync(row, shell);
            return;
        }

        await using var scenario = row.Make();
        await scenario.BringAsync();
        var finding = Found(row, scenario);
        using var shells = new PastingShells(scenario.Run);
        var (open, end) = (Kinds(scenario), scenario.AuditEnd());
        foreach (var shell in into)
        {
            var (code, output) = await shells.PasteAsync(shell, finding.Remedy);
            Assert.True(code is 0 or 1 or 6 || code == row.MayExit, $"{shell}: {finding.Remedy}: {code} {output}");
            Assert.True(output.Contains(row.Shows, StringComparison.Ordinal), $"{shell}: {finding.Remedy} shows nothing of {row.Shows}: {output}");
            Assert.False(finding.Kind.Description().IsSuspicious && Weakening().IsMatch(output), output);
        }

        Assert.Equal((open, end), (Kinds(scenario), scenario.AuditEnd()));
    }

    private static async Task SettlesAsync(RemedyCase row, string shell)
    {
        await using var scenario = row.Make();
        await scenario.BringAsync();
        var finding = Found(row, scenario);
        using var shells = new PastingShells(scenario.Run);
        var (code, output) = await shells.PasteAsync(shell, finding.Remedy);
        Assert.True(code == 0, $"{shell}: {finding.Remedy}: {code} {output}");
        await scenario.PassAsync();
        Assert.DoesNotContain(scenario.Open(), open => open.Kind == finding.Kind);
    }

    private static Finding Found(RemedyCase row, RemedyScenario scenario)
    {
        var open = scenario.Open();
        var finding = open.Where(finding => finding.Kind == row.Kind).MaxBy(finding => finding.Affects);
        Assert.True(finding is not null, $"open: {string.Join("; ", open.Select(other => $"{other.Kind.Name()} {other.Detail}"))}");
        Assert.DoesNotMatch(Placeholder(), finding.Remedy);
        // One that is too long ends with three dots.
        Assert.DoesNotMatch(Placeholder(), finding.Detail.TrimEnd('.'));
        return finding;
    }

    private static string Kinds(RemedyScenario scenario) => string.Join(' ', scenario.Open().Select(finding => $"{finding.Kind.Name()} {finding.Subject}").Order(StringComparer.Ordinal));

    [GeneratedRegex(@"\b(KEY|NAME|NAMES|TEXT|HOST|FILE|FINGERPRINT|REASON|DATE)\b|\.\.\.|<[a-z]+>")]
    private static partial Regex Placeholder();

    [GeneratedRegex("policyctl (pin (approve|revoke|add)|domain (set|add|remove))")]
    private static partial Regex Weakening();
}
