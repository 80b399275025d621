using System.Collections.Immutable;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Status;

/// <summary>What is open, counted; one by one only the worst, so that its size has a bound however much is open.</summary>
/// <param name="Kinds">How many findings of each kind are open, by its name.</param>
/// <param name="Severities">What is open of each severity, by its name; of a severity without any there is none.</param>
/// <param name="Causes">The causes, some of each severity one by one.</param>
/// <param name="Worst">The worst findings by name, the worst first; at most <see cref="MostNamed"/>.</param>
public sealed record FindingSurvey(
    IReadOnlyDictionary<string, long> Kinds, IReadOnlyDictionary<string, OpenSeverity> Severities, OpenCauses Causes, ImmutableArray<NamedFinding> Worst)
{
    /// <summary>Findings that are named one by one.</summary>
    public const int MostNamed = 100;

    /// <summary>Causes of one severity that are shown one by one.</summary>
    public const int MostCauses = 15;

    // Rows that are in memory at a time; and causes whose texts are.
    private const int RowsAtATime = 500;
    private const int MostWhole = 1_000;

    /// <summary>Counts what was read.</summary>
    /// <param name="findings">What is open.</param>
    /// <param name="mail">What waits; null where that is not known.</param>
    public static FindingSurvey Of(IEnumerable<FindingJson> findings, WaitingMail? mail)
    {
        ArgumentNullException.ThrowIfNull(findings);
        var counting = new Counting(int.MaxValue);
        foreach (var finding in findings)
            counting.Add(finding, null);
        return counting.Survey(mail, cause => cause);
    }

    /// <summary>Counts the open findings of a store, without ever holding all of them.</summary>
    /// <param name="store">The store.</param>
    /// <param name="mail">What waits; null where that is not known.</param>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public static FindingSurvey Of(PolicyStore store, WaitingMail? mail)
    {
        ArgumentNullException.ThrowIfNull(store);
        var counting = new Counting(MostWhole);
        (string Subject, long Id) after = ("", 0);
        while (true)
        {
            var rows = store.OpenFindings(after, RowsAtATime);
            foreach (var row in rows)
                counting.Add(FindingJson.From(row.Finding, row.LastSeen), row.Id);
            if (rows is not [.., var last])
                break;
            after = (last.Finding.Subject, last.Id);
        }

        return counting.Survey(mail, cause => Whole(store, cause));
    }

    /// <summary>The same with what else is open, of which it has nothing.</summary>
    /// <param name="others">What the daemon found and the store does not have.</param>
    public FindingSurvey With(IReadOnlyCollection<FindingJson> others)
    {
        ArgumentNullException.ThrowIfNull(others);
        if (others.Count == 0)
            return this;
        var more = Of(others, mail: null);
        return new FindingSurvey(
            Kinds.Concat(more.Kinds).GroupBy(kind => kind.Key).ToDictionary(kind => kind.Key, kind => kind.Sum(one => one.Value)),
            Severities.Concat(more.Severities).GroupBy(severity => severity.Key).ToDictionary(severity => severity.Key, severity => new OpenSeverity(
                severity.Sum(one => one.Value.Open), severity.Sum(one => one.Value.Destinations), severity.Min(one => one.Value.Oldest))),
            Causes.With(more.Causes), [.. Worst.Concat(more.Worst).Order().Take(MostNamed)]);
    }

    // One that settled meanwhile says the same.
    private static StatusCause Whole(PolicyStore store, StatusCause cause) =>
        cause is { First.Detail: "", Id: { } id } && store.FindFinding(id, most: 0) is [var finding, ..]
            ? cause with { First = FindingJson.From(finding.Finding, finding.LastSeen) with { Severity = cause.First.Severity } }
            : cause;

    private sealed class Counting(int mostWhole)
    {
        private readonly Dictionary<string, long> kinds = [];
        private readonly Dictionary<string, (long Open, DateTimeOffset Oldest)> severities = [];
        private readonly CauseGathering causes = new(mostWhole);

        // The one that makes way first is at the head.
        private readonly PriorityQueue<NamedFinding, NamedFinding> worst = new(Comparer<NamedFinding>.Create((one, other) => other.CompareTo(one)));

        internal void Add(FindingJson finding, long? id)
        {
            kinds[finding.Kind] = kinds.GetValueOrDefault(finding.Kind) + 1;
            severities[finding.Severity] = severities.TryGetValue(finding.Severity, out var known)
                ? (known.Open + 1, finding.Since < known.Oldest ? finding.Since : known.Oldest)
                : (1, finding.Since);
            causes.Add(finding, id);
            var named = new NamedFinding(
                FindingSeverities.TryParse(finding.Severity, out var severity) ? severity : FindingSeverity.ForInformation, finding.Since, finding.Subject, finding.Kind);
            if (worst.Count < MostNamed)
                worst.Enqueue(named, named);
            else
                worst.EnqueueDequeue(named, named);
        }

        internal FindingSurvey Survey(WaitingMail? mail, Func<StatusCause, StatusCause> whole)
        {
            var all = causes.Causes(mail);
            var affected = all.GroupBy(cause => cause.Severity).ToDictionary(group => group.Key.Name(), StatusCause.DestinationsOf);
            var shown = OpenCauses.Of(all, MostCauses);
            return new FindingSurvey(
                kinds, severities.ToDictionary(one => one.Key, one => new OpenSeverity(one.Value.Open, affected.GetValueOrDefault(one.Key), one.Value.Oldest)),
                shown with { Shown = [.. shown.Shown.Select(cause => Few(whole(cause)))] },
                [.. worst.UnorderedItems.Select(one => one.Element).Order()]);
        }

        // Two say that there are several, and as whom the first one is named.
        private static StatusCause Few(StatusCause cause) =>
            cause.Concerned.Length <= 2 ? cause : cause with { Destinations = cause.Destinations, Concerned = [.. cause.Concerned.Take(2)] };
    }
}

/// <summary>What is open of one severity.</summary>
/// <param name="Open">How many findings.</param>
/// <param name="Destinations">How many destinations they concern, advice left out.</param>
/// <param name="Oldest">Since when the oldest is open.</param>
public readonly record struct OpenSeverity(long Open, int Destinations, DateTimeOffset Oldest);

/// <summary>An open finding by its name.</summary>
/// <param name="Severity">What it means for mail.</param>
/// <param name="Since">Since when it is open.</param>
/// <param name="Subject">Whom it is about.</param>
/// <param name="Kind">The name of its kind.</param>
public readonly record struct NamedFinding(FindingSeverity Severity, DateTimeOffset Since, string Subject, string Kind) : IComparable<NamedFinding>
{
    /// <summary>The worse one comes first, then the older one.</summary>
    public int CompareTo(NamedFinding other)
    {
        var order = Severity != other.Severity ? Severity < other.Severity ? -1 : 1 : Since.CompareTo(other.Since);
        order = order != 0 ? order : string.CompareOrdinal(Subject, other.Subject);
        return order != 0 ? order : string.CompareOrdinal(Kind, other.Kind);
    }

    public static bool operator <(NamedFinding left, NamedFinding right) => left.CompareTo(right) < 0;

    public static bool operator >(NamedFinding left, NamedFinding right) => left.CompareTo(right) > 0;

    public static bool operator <=(NamedFinding left, NamedFinding right) => left.CompareTo(right) <= 0;

    public static bool operator >=(NamedFinding left, NamedFinding right) => left.CompareTo(right) >= 0;
}
