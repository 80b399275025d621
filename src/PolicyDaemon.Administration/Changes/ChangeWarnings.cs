using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;

namespace PolicyDaemon.Administration.Changes;

/// <summary>What is legal in a change and still deserves a thought.</summary>
internal static class ChangeWarnings
{
    /// <param name="present">The keys that are there after the change, of those that it touches.</param>
    internal static IEnumerable<ChangeWarning> Of(JudgedPlan key, PolicyStore store, PostfixSettings postfix, IReadOnlySet<NextHop> present)
    {
        var planned = key.Planned;
        foreach (var warning in planned.Warnings)
            yield return new ChangeWarning(planned.Name, warning);
        if (planned.After is not { } after || key.Judged.Action is null)
            yield break;
        foreach (var warning in PolicyWarnings.Of(after, postfix).Where(warning => !IsSaidOrSettled(warning, planned, store, present)))
            yield return new ChangeWarning(planned.Name, warning.ToString());
        if (planned.Before is not null)
            yield break;
        var others = store.OtherForms(planned.Key).Where(other => other.Key != planned.Key).Select(other => other.Key.Text).ToList();
        if (others.Count > 0)
        {
            yield return new ChangeWarning(
                planned.Name, $"{string.Join(", ", others)} is configured too; to Postfix these are different keys, and each answers only for itself");
        }
    }

    // The rules judge one entry and know no store: they remind of example.com beside .example.com even where it is there.
    // The reader of a table reminds by itself, with the option that adds it.
    private static bool IsSaidOrSettled(PolicyWarning warning, PlannedChange planned, PolicyStore store, IReadOnlySet<NextHop> present) =>
        warning.Kind == PolicyWarningKind.SubdomainsOnly
        && (planned.Place.Length > 0
            || (NextHop.TryParse(planned.Key.Text[1..], out var bare, out _) && (present.Contains(bare) || store.Find(bare) is not null)));
}
