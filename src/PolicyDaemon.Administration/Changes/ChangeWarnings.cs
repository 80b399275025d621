using System.Runtime.InteropServices;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Administration.Changes;

/// <summary>What is legal in a change and still deserves a thought.</summary>
/// <param name="settings">The configuration of the daemon.</param>
/// <param name="planned">The whole change.</param>
/// <param name="isBulk">What keys have in common is said once: a few are named, of more the first, and the others are counted.</param>
internal sealed class ChangeWarnings(StoreView view, Settings settings, IReadOnlyCollection<PlannedChange> planned, bool isBulk)
{
    private const int MostNamed = 3;

    private readonly List<ChangeWarning> single = [];
    private readonly Dictionary<string, (List<string> Names, int Count)> shared = new(StringComparer.Ordinal);
    private HashSet<NextHop>? present;

    internal IReadOnlyList<ChangeWarning> All => isBulk ? [.. shared.Select(Merged)] : single;

    internal void Add(JudgedPlan key)
    {
        foreach (var text in Of(key).Distinct(StringComparer.Ordinal))
        {
            if (!isBulk)
            {
                single.Add(new ChangeWarning(key.Planned.Name, text));
                continue;
            }

            ref var same = ref CollectionsMarshal.GetValueRefOrAddDefault(shared, text, out _);
            same.Names ??= [];
            if (++same.Count <= MostNamed)
                same.Names.Add(key.Planned.Name);
        }
    }

    private static ChangeWarning Merged(KeyValuePair<string, (List<string> Names, int Count)> same) => same.Value switch
    {
        { Count: > MostNamed } many => new(many.Names[0], same.Key, many.Count - 1),
        { Count: 1 } one => new(one.Names[0], same.Key),
        var few => new($"{string.Join(", ", few.Names.SkipLast(1))} and {few.Names[^1]}", same.Key),
    };

    private IEnumerable<string> Of(JudgedPlan key)
    {
        var wanted = key.Planned;
        foreach (var warning in wanted.Warnings)
            yield return warning;
        if (wanted.AcceptsUnsigned && !key.Judged.AcceptsUnsigned)
            yield return "no probe found that its MX records were signed and are not any more; there is nothing to accept";
        if (wanted.After is not { } after || key.Judged.Action is null)
            yield break;
        foreach (var warning in PolicyWarnings.Of(after, settings.Postfix, key.Judged.AnswerAfter))
        {
            // Of pins that were there before and stay as they were: beside the one that is decided about it would read as if it were of that.
            var isOfBefore = IsOfPins(warning.Kind) && wanted.Before is { } before && PolicyWarnings.Of(before, settings.Postfix, key.Judged.AnswerBefore).Contains(warning);
            if (!isOfBefore && !IsSaidOrSettled(warning, wanted))
                yield return warning.ToString();
        }

        if (after.Policy.Level == TlsLevel.AsDiscovered && settings.Discovery.Mode != DiscoveryMode.On)
        {
            yield return after.Floor == DiscoveryFloor.None
                ? "discovery is not on (mode in [discovery]): until it is, the key is not found and main.cf decides"
                : "discovery is not on (mode in [discovery]): until it is, nothing is known and mail to it waits";
        }

        if (after.Policy.Level == TlsLevel.Default && wanted.Key.LookupChain().Skip(1).Select(view.Find).FirstOrDefault(parent => parent is { Observe: false, Policy.Level: not TlsLevel.Default }) is { } parent)
            yield return $"Postfix goes on to {parent.Key.ToDisplayString()}, which answers for it, too: default is no exception from a parent's entry; another level is";
        if (wanted.Before is not null)
            yield break;
        var others = view.OtherForms(wanted.Key);
        if (others.Count > 0)
            yield return $"{string.Join(", ", others.Select(other => other.Key.Text))} is configured too; to Postfix these are different keys, and each answers only for itself";
    }

    private static bool IsOfPins(PolicyWarningKind kind) => kind is PolicyWarningKind.FirstSight or PolicyWarningKind.OtherDigest or PolicyWarningKind.UnknownSubject;

    // The rules judge one entry and know no store: they remind of example.com beside .example.com even where it is there.
    // The reader of a table reminds by itself, with the option that adds it.
    private bool IsSaidOrSettled(PolicyWarning warning, PlannedChange wanted) =>
        (warning.Kind == PolicyWarningKind.OtherDigest && wanted.IsDigestSaid)
        || (warning.Kind == PolicyWarningKind.SubdomainsOnly && (wanted.Place.Length > 0
            || (NextHop.TryParse(wanted.Key.Text[1..], out var bare, out _) && (Present.Contains(bare) || view.Find(bare) is not null))));

    /// <summary>The keys that are there after the change, of those that it touches; no table's, which are never asked for.</summary>
    private HashSet<NextHop> Present => present ??= [.. planned.Where(other => other.After is not null).Select(other => other.Key)];
}
