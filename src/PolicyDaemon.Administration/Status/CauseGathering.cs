using System.Collections.Immutable;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Administration.Status;

/// <summary>Gathers the causes of findings that come one after the other; of each cause it keeps the oldest finding and whom the others are about.</summary>
/// <param name="mostWhole">So many causes keep their oldest finding as it is; those beyond only its name, so that memory has a bound that many can live with.</param>
public sealed class CauseGathering(int mostWhole = int.MaxValue)
{
    private readonly Dictionary<(FindingKind Kind, string Severity, string Likeness), Group> groups = [];

    /// <summary>Takes a finding; advice needs nobody, and a kind that only another version knows is listed with <c>status --all</c>.</summary>
    /// <param name="finding">The finding.</param>
    /// <param name="id">Its number in the store; null where it has none there.</param>
    public void Add(FindingJson finding, long? id = null)
    {
        ArgumentNullException.ThrowIfNull(finding);
        if (!FindingKinds.TryParse(finding.Kind, out var kind) || kind.Description().IsAdvice)
            return;
        var key = (kind, finding.Severity, StatusCause.Likeness(finding));
        if (!groups.TryGetValue(key, out var group))
            groups.Add(key, group = new Group());
        group.Concerned.Add(new ConcernedSubject(finding.Subject, finding.Affects, finding.Since, finding.Node));
        group.Share(finding.Seen.Select(seen => seen.MxHost));
        if (group.First is { } first && Order(first, finding) <= 0)
            return;
        (group.First, group.Id) = (groups.Count <= mostWhole ? finding : finding with { Detail = "", Remedy = "", Expected = [], Seen = [] }, id);
    }

    /// <summary>The causes, the worst first.</summary>
    /// <param name="mail">What waits; null where that is not known.</param>
    public ImmutableArray<StatusCause> Causes(WaitingMail? mail) => [.. StatusCause.WorstFirst(groups.Select(group => Of(group.Key.Kind, group.Value, mail)))];

    private static StatusCause Of(FindingKind kind, Group group, WaitingMail? mail)
    {
        var first = group.First!;
        var keys = mail is null ? [] : StatusCause.Keys(kind, group.Concerned).ToList();
        var waiting = mail?.Of(keys.OfType<NextHop>());
        return new StatusCause(
            kind, FindingSeverities.TryParse(first.Severity, out var severity) ? severity : FindingSeverity.LookAtIt, first,
            [.. group.Concerned.OrderBy(one => one.Since).ThenBy(one => one.Subject, StringComparer.Ordinal)], waiting)
        {
            Id = group.Id,
            MxHosts = [.. group.MxHosts.Order(StringComparer.Ordinal)],
            WaitingMessages = waiting?.Messages ?? (mail is not null && keys.TrueForAll(key => key is { } known && mail.MessagesOf(known) is not null) ? 0 : null),
        };
    }

    private static int Order(FindingJson one, FindingJson other) =>
        one.Since != other.Since ? one.Since.CompareTo(other.Since) : string.CompareOrdinal(one.Subject, other.Subject);

    private sealed class Group
    {
        internal List<ConcernedSubject> Concerned { get; } = [];

        internal FindingJson? First { get; set; }

        /// <summary>The MX hosts that every finding names; none where they differ.</summary>
        internal HashSet<string> MxHosts { get; } = new(StringComparer.Ordinal);

        internal void Share(IEnumerable<string> hosts)
        {
            if (Concerned.Count == 1)
                MxHosts.UnionWith(hosts);
            else
                MxHosts.IntersectWith(hosts);
        }

        internal long? Id { get; set; }
    }
}
