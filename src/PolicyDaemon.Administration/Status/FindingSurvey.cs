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
    public static FindingSurvey Of(IEnumerable<FindingJson> findings, WaitingMail? mail) => Of(findings, new FindingReading { Mail = () => mail });

    /// <summary>Counts what was read.</summary>
    /// <param name="findings">What is open.</param>
    /// <param name="reading">What is asked for beside the counts.</param>
    public static FindingSurvey Of(IEnumerable<FindingJson> findings, FindingReading reading)
    {
        ArgumentNullException.ThrowIfNull(findings);
        ArgumentNullException.ThrowIfNull(reading);
        var counting = new Counting(reading, int.MaxValue);
        foreach (var finding in findings)
            counting.Add(finding, null);
        return counting.Survey(cause => cause);
    }

    /// <summary>Counts the open findings of a store, without ever holding all of them.</summary>
    /// <param name="store">The store.</param>
    /// <param name="mail">What waits; null where that is not known.</param>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public static FindingSurvey Of(PolicyStore store, WaitingMail? mail) => Of(store, [], new FindingReading { Mail = () => mail });

    /// <summary>Counts the open findings of a store and others, without ever holding more of them than the reading asks for.</summary>
    /// <param name="store">The store.</param>
    /// <param name="others">What the daemon found and the store does not have.</param>
    /// <param name="reading">What is asked for beside the counts.</param>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public static FindingSurvey Of(PolicyStore store, IEnumerable<FindingJson> others, FindingReading reading)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(others);
        ArgumentNullException.ThrowIfNull(reading);
        var counting = new Counting(reading, MostWhole);
        // Nobody could read their texts again, so they come before those that go without.
        foreach (var finding in others)
            counting.Add(finding, null);
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

        return counting.Survey(cause => Whole(store, cause));
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

    /// <summary>The findings that the reading lists, the oldest first, those that the store does not have last.</summary>
    public ImmutableArray<FindingJson> Listed { get; init; } = [];

    private sealed class Counting(FindingReading reading, int mostWhole)
    {
        private readonly Dictionary<string, long> kinds = [];
        private readonly Dictionary<string, (long Open, DateTimeOffset Oldest)> severities = [];
        private readonly CauseGathering causes = new(mostWhole);
        private readonly List<(long Id, FindingJson Finding)> listed = [];

        // The one that makes way first is at the head.
        private readonly PriorityQueue<NamedFinding, NamedFinding> worst = new(Comparer<NamedFinding>.Create((one, other) => other.CompareTo(one)));

        internal void Add(FindingJson finding, long? id)
        {
            kinds[finding.Kind] = kinds.GetValueOrDefault(finding.Kind) + 1;
            severities[finding.Severity] = severities.TryGetValue(finding.Severity, out var known)
                ? (known.Open + 1, finding.Since < known.Oldest ? finding.Since : known.Oldest)
                : (1, finding.Since);
            causes.Add(finding, id);
            if (reading.Lists?.Invoke(finding) == true)
                listed.Add((id ?? long.MaxValue, finding));
            var named = new NamedFinding(
                FindingSeverities.TryParse(finding.Severity, out var severity) ? severity : FindingSeverity.ForInformation, finding.Since, finding.Subject, finding.Kind);
            if (worst.Count < MostNamed)
                worst.Enqueue(named, named);
            else
                worst.EnqueueDequeue(named, named);
        }

        internal FindingSurvey Survey(Func<StatusCause, StatusCause> whole)
        {
            var mail = kinds.Count > 0 ? reading.Mail() : null;
            var all = causes.Causes(mail);
            var affected = all.GroupBy(cause => cause.Severity).ToDictionary(group => group.Key.Name(), StatusCause.DestinationsOf);
            var shown = OpenCauses.Of(all, reading.MostCauses);
            return new FindingSurvey(
                kinds, severities.ToDictionary(one => one.Key, one => new OpenSeverity(one.Value.Open, affected.GetValueOrDefault(one.Key), one.Value.Oldest)),
                shown with
                {
                    Shown = [.. shown.Shown.Select(cause => Few(whole(cause)))],
                    Mail = mail is null ? null : StatusCause.MailOf(all.Where(cause => cause.NeedsPerson), mail),
                },
                [.. worst.UnorderedItems.Select(one => one.Element).Order()])
            {
                Listed = [.. listed.OrderBy(one => one.Id == long.MaxValue).ThenBy(one => one.Finding.Since).ThenBy(one => one.Id).Select(one => one.Finding)],
            };
        }

        // Two say that there are several, and as whom the first one is named.
        private static StatusCause Few(StatusCause cause) =>
            cause.Concerned.Length <= 2 ? cause : cause with { Concerned = [.. cause.Concerned.Take(2)] };
    }
}

/// <summary>What is asked for of open findings, beside their counts.</summary>
public sealed record FindingReading
{
    /// <summary>Which findings are listed one by one; null for none.</summary>
    public Func<FindingJson, bool>? Lists { get; init; }

    /// <summary>Finds out what waits, where anything is open; null where that is not known.</summary>
    public Func<WaitingMail?> Mail { get; init; } = () => null;

    /// <summary>Finds what nobody stores, where somebody looks for it: from the report, which has what the daemon found and the store does not have, and from the
    /// store, null where it cannot be read.</summary>
    public Func<StatusReport, PolicyStore?, IEnumerable<FindingJson>> Beside { get; init; } = (_, _) => [];

    /// <summary>So many causes of one severity are shown one by one.</summary>
    public int MostCauses { get; init; } = FindingSurvey.MostCauses;
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
