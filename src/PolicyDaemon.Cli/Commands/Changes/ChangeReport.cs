using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Text;

namespace PolicyDaemon.Cli.Commands.Changes;

/// <summary>Shows a change: the exact answers before and after, and how to take it back.</summary>
internal static class ChangeReport
{
    private const int FitsOnScreen = 12;
    private const int SaidOneByOne = 3;

    /// <summary>The columns of <c>--format tsv</c>.</summary>
    internal static readonly string[] Columns = ["key", "action", "before", "after", "change"];

    internal static void Write(
        Report report, ChangeResult result, bool dryRun, bool summary)
    {
        var (keys, change) = (result.Keys, result.ChangeId);
        var warnings = Merge(result.Warnings, summary);
        foreach (var warning in warnings)
            report.Warning(warning);
        if (report.Format == OutputFormat.Json)
            report.Json(Json(result, warnings, dryRun), CliJson.Default.ChangeJson);
        else if (report.Format == OutputFormat.Tsv)
            report.Rows(Tsv(keys, change), default!, CliJson.Default.ChangeJson);
        else
            Table(report, summary ? Worth(keys, dryRun) : keys);

        if (summary)
            report.Note(Counts(keys));
        if (dryRun)
            report.Note("Nothing was changed (--dry-run).");
        else if (change is null)
            report.Note("Nothing to change: it is so already.");
        else
            report.Note(FormattableString.Invariant($"change {change}; undo with: policyctl undo {change}"));
    }

    /// <summary>What would change and nothing else: of a comparison, which is no change to be made.</summary>
    internal static void WriteDifferences(Report report, ChangeResult result)
    {
        var warnings = Merge(result.Warnings, bulk: true);
        foreach (var warning in warnings)
            report.Warning(warning);
        var different = result.Keys.Where(key => key.Action != "none").ToList();
        if (report.Format == OutputFormat.Json)
            report.Json(Json(result with { Keys = different }, warnings, dryRun: true), CliJson.Default.ChangeJson);
        else if (report.Format == OutputFormat.Tsv)
            report.Rows(Tsv(different, null), default!, CliJson.Default.ChangeJson);
        report.Note(different.Count == 0 ? "Nothing would change: it is so already." : Counts(result.Keys));
    }

    /// <summary>What a person wants to see of bulk work: before it happens, all that changes; afterwards, only if it fits on a screen.</summary>
    private static List<ChangedKey> Worth(IReadOnlyList<ChangedKey> keys, bool dryRun)
    {
        var changed = keys.Where(key => key.Action != "none").ToList();
        return dryRun || changed.Count <= FitsOnScreen ? changed : [];
    }

    private static string Counts(IReadOnlyList<ChangedKey> keys)
    {
        var counts = keys.CountBy(key => key.Action).ToDictionary(StringComparer.Ordinal);
        return FormattableString.Invariant(
            $"{(keys.Count == 1 ? "1 entry" : $"{keys.Count} entries")}: {counts.GetValueOrDefault("add")} new, {counts.GetValueOrDefault("change")} changed, {counts.GetValueOrDefault("remove")} removed, {counts.GetValueOrDefault("none")} as they were.");
    }

    private static void Table(Report report, IReadOnlyList<ChangedKey> keys)
    {
        foreach (var key in keys)
        {
            report.Line($"{key.Key}  {Verb(key.Action)}", Tone.Heading);
            report.Facts([("  before", key.Before.Cell()), ("  after", key.After.Cell())]);
            foreach (var weakening in key.Weakens)
                report.Line($"  weakens: {weakening}", Tone.Caution);
        }
    }

    private static Table Tsv(IReadOnlyList<ChangedKey> keys, long? change)
    {
        var table = new Table(Columns);
        foreach (var key in keys)
            table.Add(key.Key, key.Action, key.Before.Cell(), key.After.Cell(), change is null ? "-" : FormattableString.Invariant($"{change}"));
        return table;
    }

    /// <summary>One line each, and in bulk work one line for many entries with the same warning.</summary>
    private static List<string> Merge(IReadOnlyList<ChangeWarning> warnings, bool bulk)
    {
        if (!bulk)
            return [.. warnings.Select(warning => $"{warning.Name}: {warning.Text}").Distinct()];
        var merged = new List<string>();
        foreach (var same in warnings.Distinct().GroupBy(warning => warning.Text))
        {
            var names = same.Select(warning => warning.Name).ToList();
            if (names.Count <= SaidOneByOne)
                merged.AddRange(names.Select(name => $"{name}: {same.Key}"));
            else
                merged.Add(FormattableString.Invariant($"{names[0]} and {names.Count - 1} more: {same.Key}"));
        }

        return merged;
    }

    private static ChangeJson Json(ChangeResult result, IReadOnlyList<string> warnings, bool dryRun) => new(
        result.ChangeId,
        result.ChangeId is null ? null : result.Receipt!.Head.Hash,
        dryRun,
        [.. result.Keys.Select(key => new ChangedKeyJson(
            key.Key,
            key.Action,
            key.Before is { } before ? AnswerJson.From(before) : null,
            key.After is { } after ? AnswerJson.From(after) : null,
            key.Weakens))],
        warnings);

    private static string Verb(string action) => action switch
    {
        "add" => "(new)",
        "remove" => "(removed)",
        "none" => "(unchanged)",
        _ => "(changed)",
    };
}
