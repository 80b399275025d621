using System.Globalization;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Text;
using PolicyDaemon.Core.Audit;

namespace PolicyDaemon.Cli.Commands.Changes;

/// <summary>Shows a change: the exact answers before and after, and how to take it back.</summary>
internal static class ChangeReport
{
    private const int FitsOnScreen = 12;

    /// <summary>The columns of <c>--format tsv</c>.</summary>
    internal static readonly string[] Columns = ["key", "action", "before", "after", "change"];

    internal static void Write(
        Report report, ChangeResult result, bool dryRun, bool summary)
    {
        var (keys, change) = (result.Keys, result.ChangeId);
        var warnings = result.Warnings.Select(Sentence).ToList();
        foreach (var warning in warnings)
            report.Warning(warning);
        if (report.Format == OutputFormat.Json)
            report.Json(Json(result, warnings, dryRun), CliJson.Default.ChangeJson);
        else if (report.Format == OutputFormat.Tsv)
            report.Tsv(Columns, keys.Select(key => Row(key, change)));
        else
            Table(report, summary ? Worth(keys, dryRun) : keys);
        if (!report.IsTable && !summary)
        {
            foreach (var key in keys.Where(key => key is { End: not null, Action: not null }))
                report.Note($"{key.Key}: {key.End}");
        }

        if (summary)
            report.Note(Counts(keys));
        if (dryRun)
            report.Note("Nothing was changed (--dry-run).");
        else if (change is null)
            report.Note("Nothing to change: it is so already.");
        else
            report.Note(string.Create(CultureInfo.InvariantCulture, $"change {change}; {(result.IsForGood ? "it is about the store itself, and no undo takes it back" : $"undo with: policyctl undo {change}")}"));
    }

    /// <summary>Writes what would change and nothing else: the result of a comparison, which is no change to be made.</summary>
    internal static void WriteDifferences(Report report, ChangeResult result)
    {
        var warnings = result.Warnings.Select(Sentence).ToList();
        foreach (var warning in warnings)
            report.Warning(warning);
        var different = result.Keys.Where(key => key.IsChanged).ToList();
        if (report.Format == OutputFormat.Json)
            report.Json(Json(result with { Keys = different }, warnings, dryRun: true), CliJson.Default.ChangeJson);
        else if (report.Format == OutputFormat.Tsv)
            report.Tsv(Columns, different.Select(key => Row(key, null)));
        report.Note(different.Count == 0 ? "Nothing would change: it is so already." : Counts(result.Keys));
    }

    /// <summary>The keys to show of bulk work: before it is done, all that change; afterwards, only if they fit on a screen.</summary>
    private static List<ChangedKey> Worth(IReadOnlyCollection<ChangedKey> keys, bool dryRun)
    {
        var changed = keys.Where(key => key.IsChanged);
        if (dryRun)
            return [.. changed];
        List<ChangedKey> first = [.. changed.Take(FitsOnScreen + 1)];
        return first.Count <= FitsOnScreen ? first : [];
    }

    private static string Counts(IReadOnlyCollection<ChangedKey> keys)
    {
        var (added, changed, removed) = (0, 0, 0);
        foreach (var key in keys)
        {
            added += key.Action == AuditAction.Add ? 1 : 0;
            changed += key.Action == AuditAction.Change ? 1 : 0;
            removed += key.Action == AuditAction.Remove ? 1 : 0;
        }

        return FormattableString.Invariant(
            $"{(keys.Count == 1 ? "1 entry" : $"{keys.Count} entries")}: {added} new, {changed} changed, {removed} removed, {keys.Count - added - changed - removed} as they were.");
    }

    private static void Table(Report report, IEnumerable<ChangedKey> keys)
    {
        foreach (var key in keys)
        {
            report.Line($"{key.Key}  {Verb(key.Action)}", Tone.Heading);
            report.Facts([("  before", key.Before.Cell()), ("  after", key.After.Cell()), .. key.End is null ? ((string, Cell)[])[] : [("  end", key.End.ToString())]]);
            foreach (var weakening in key.Weakens)
                report.Line($"  weakens: {weakening}", Tone.Caution);
        }
    }

    private static string[] Row(ChangedKey key, long? change) =>
        [key.Key, key.ActionName, key.Before.Cell().Text, key.After.Cell().Text, change is null ? "-" : FormattableString.Invariant($"{change}")];

    private static string Sentence(ChangeWarning warning) => warning.Others == 0
        ? PlannedChange.About(warning.Name, warning.Text)
        : FormattableString.Invariant($"{warning.Name} and {warning.Others} more: {warning.Text}");

    private static ChangeJson Json(ChangeResult result, IReadOnlyList<string> warnings, bool dryRun) => new(
        result.ChangeId,
        result.ChangeId is null ? null : result.Receipt!.Head.Hash,
        dryRun,
        result.Keys.Select(key => new ChangedKeyJson(
            key.Key,
            key.ActionName,
            key.Before is { } before ? AnswerJson.From(before) : null,
            key.After is { } after ? AnswerJson.From(after) : null,
            key.Weakens,
            key.End?.Until,
            key.End?.Then is { } then ? AnswerJson.From(then) : null)),
        warnings);

    private static string Verb(AuditAction? action) => action switch
    {
        AuditAction.Add => "(new)",
        AuditAction.Remove => "(removed)",
        null => "(unchanged)",
        _ => "(changed)",
    };
}
