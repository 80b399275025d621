using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Changes;

/// <summary>What is legal in a change and still deserves a second look.</summary>
internal static class ChangeWarnings
{
    private const int SaidOneByOne = 3;

    /// <param name="present">The keys that are there after the change, of those that it touches.</param>
    internal static IEnumerable<(string Name, string Text)> Of(
        JudgedChange key, PolicyStore store, PostfixSettings postfix, IReadOnlySet<NextHop> present)
    {
        var planned = key.Planned;
        foreach (var warning in planned.Warnings)
            yield return (key.Name, warning);
        if (planned.After is not { } after || planned.Action == "none")
            yield break;
        foreach (var warning in PolicyWarnings.Of(after, postfix).Where(warning => !IsSaidOrSettled(warning, planned, store, present)))
            yield return (key.Name, warning.ToString());
        if (planned.Before is not null)
            yield break;
        var others = store.OtherForms(planned.Key).Where(other => other.Key != planned.Key).Select(other => other.Key.Text).ToList();
        if (others.Count > 0)
            yield return (key.Name, $"{string.Join(", ", others)} is configured too; to Postfix these are different keys, and each answers only for itself");
    }

    /// <summary>One line each, and in bulk work one line for many entries with the same doubt.</summary>
    internal static IReadOnlyList<string> Merge(IEnumerable<(string Name, string Text)> warnings, bool bulk)
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

    // The rules judge one entry and know no store: they remind of example.com beside .example.com even where it is there.
    // The reader of a table reminds by itself, with the option that adds it.
    private static bool IsSaidOrSettled(PolicyWarning warning, PlannedChange planned, PolicyStore store, IReadOnlySet<NextHop> present) =>
        warning.Kind == PolicyWarningKind.SubdomainsOnly
        && (planned.Place.Length > 0
            || (NextHop.TryParse(planned.Key.Text[1..], out var bare, out _) && (present.Contains(bare) || store.Find(bare) is not null)));
}
