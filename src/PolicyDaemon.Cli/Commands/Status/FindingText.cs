using System.Globalization;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary>What a finding says beside its sentence.</summary>
internal static class FindingText
{
    // A person compares a few; JSON has them all.
    private const int Most = 6;

    /// <summary>Expected beside seen, aligned so that the eye can compare them.</summary>
    internal static IEnumerable<string> Keys(FindingJson finding)
    {
        if (finding.Seen.Count == 0)
            yield break;
        foreach (var line in Cut(finding.Expected))
            yield return "expected  " + line;
        foreach (var line in Cut([.. finding.Seen.Select(seen => $"{seen.PublicKeyFingerprint}  {seen.MxHost} [{Target(seen)}] since {UtcTime.Text(seen.Since)}").Distinct()]))
            yield return "seen      " + line;
    }

    /// <summary>What a finding means for mail; one that another version names otherwise is to be looked at.</summary>
    internal static FindingSeverity Severity(FindingJson finding) =>
        FindingSeverities.TryParse(finding.Severity, out var severity) ? severity : FindingSeverity.LookAtIt;

    /// <summary>True where the configuration cannot be used, on which rests whatever else is told.</summary>
    internal static bool IsConfiguration(FindingJson finding) => finding.Kind == FindingKind.ConfigurationUnusable.Name();

    /// <summary>The refusal of a word that names no kind of finding.</summary>
    internal static CommandException Unknown(string name) => new(
        ExitCode.Usage,
        $"'{name}' is no kind of finding{(Nearest.Suggestion(name, FindingKinds.All.Select(row => row.Name)) is { Length: > 0 } near ? near : ".")} All of them: policyctl explain finding");

    /// <summary>True where nothing is wrong, and something else would be better.</summary>
    internal static bool IsAdvice(FindingJson finding) => IsAdvice(finding.Kind);

    /// <summary>True of a kind that says so, by its name.</summary>
    internal static bool IsAdvice(string name) => FindingKinds.TryParse(name, out var kind) && kind.Description().IsAdvice;

    /// <summary>The advice about an entry.</summary>
    internal static IReadOnlyList<Finding> Advice(PolicyStore store, NextHop key) => [.. store.OpenFindings(key).Where(finding => finding.Kind.Description().IsAdvice)];

    /// <summary>Advice as a fact; the command that follows it is a line of its own (<see cref="NextCommand"/>).</summary>
    internal static (string Name, Cell Value) Fact(Finding advice) => ("advice", new Cell($"{advice.Kind.Name()}: {advice.Detail}"));

    internal static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays} days"),
        { TotalHours: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalHours} hours"),
        { TotalMinutes: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalMinutes} minutes"),
        _ => "just now",
    };

    private static IEnumerable<string> Cut(IReadOnlyList<string> lines) => lines.Count <= Most
        ? lines
        : lines.Take(Most).Append(string.Create(CultureInfo.InvariantCulture, $"... and {lines.Count - Most} more"));

    private static string Target(PresentedKeyJson seen) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(seen.Address.Contains(':', StringComparison.Ordinal) ? $"[{seen.Address}]" : seen.Address)}:{seen.Port}{(seen.Sni is null ? "" : "/" + seen.Sni)}");
}
