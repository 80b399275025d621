using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>What people are told, and in which order. Pure.</summary>
/// <remarks>
/// <code>
/// of each finding, and of each number of findings that are told together     opened (escalated)* settled
/// </code>
/// <para>Once at the opening, again at each escalation, and when it is over. More than <see cref="MaxSingle"/> that open at once are told
/// together from then to their end: none of them is escalated or settled by itself, and what was told by itself stays by itself, since a
/// receiver keeps an incident for each kind and subject. A finding that comes back is opened when the end of the one before was told.</para>
/// </remarks>
internal static class AlertPlan
{
    /// <summary>So many that open at once are told one by one; nobody reads a hundred messages.</summary>
    internal const int MaxSingle = 20;

    /// <summary>An end is told when it has lasted: what comes back within the pass is the same finding.</summary>
    internal static readonly TimeSpan SettlesAfter = TimeSpan.FromSeconds(30);

    /// <param name="findings">What is open, and what settled and is not told to be over.</param>
    /// <param name="isUnderWay">True where a message about it is on its way through the channels.</param>
    public static IReadOnlyList<DueAlert> Due(
        IReadOnlyCollection<FindingAlert> findings, ImmutableArray<TimeSpan> escalation, DateTimeOffset now, Func<FindingAlert, bool> isUnderWay)
    {
        var due = new List<DueAlert>();
        var opening = new List<FindingAlert>();
        var single = findings.Where(finding => finding.ToldWith is null).ToList();
        var ending = single.Where(finding => finding is { Closed: not null, Notified: not null }).Select(KeyOf).ToHashSet();
        foreach (var finding in single.Where(finding => !isUnderWay(finding)))
        {
            if (finding is { Closed: null, Notified: null })
            {
                if (!ending.Contains(KeyOf(finding)))
                    opening.Add(finding);
            }
            else if (Next(finding.Escalation, [finding], escalation, now) is var (what, level))
                due.Add(new DueAlert(what, level, [finding], null));
        }

        var many = opening.FindAll(MayBeToldTogether);
        if (many.Count > MaxSingle)
        {
            due.Add(Opening(many, many.Min(finding => finding.Id), escalation, now));
            opening.RemoveAll(MayBeToldTogether);
        }

        due.AddRange(opening.Select(finding => Opening([finding], null, escalation, now)));
        foreach (var group in findings.Where(finding => finding.ToldWith is not null).GroupBy(finding => finding.ToldWith!.Value))
        {
            var together = group.ToList();
            if (together.Exists(isUnderWay.Invoke))
                continue;
            if (together.TrueForAll(finding => finding.Notified is null))
                due.Add(Opening(together, group.Key, escalation, now));
            else if (Next(together.Max(finding => finding.Escalation), together, escalation, now) is var (what, level))
                due.Add(new DueAlert(what, level, together, group.Key));
        }

        return [.. due.OrderBy(alert => alert.Event switch { AlertEvent.Settled => 0, AlertEvent.Escalated => 1, _ => 2 })];
    }

    /// <summary>When something is due next, if nothing else happens; null where nothing is.</summary>
    public static DateTimeOffset? Next(IEnumerable<FindingAlert> findings, ImmutableArray<TimeSpan> escalation, DateTimeOffset now) =>
        findings
            .SelectMany(finding => finding.Closed is { } closed ? [closed + SettlesAfter] : escalation.Select(time => finding.Finding.Since + time))
            .Where(at => at > now)
            .Select(at => (DateTimeOffset?)at)
            .Min();

    // Each is told by itself that people are not told by a channel; an unstored one has no number that lasts.
    private static bool MayBeToldTogether(FindingAlert finding) => finding.Id > 0 && !finding.Finding.Kind.IsOf(FindingSource.Alert);

    private static DueAlert Opening(IReadOnlyList<FindingAlert> findings, long? together, ImmutableArray<TimeSpan> escalation, DateTimeOffset now) =>
        // What was old before anybody could be told is not said again at once.
        new(AlertEvent.Opened, 0, findings, together) { Reached = Level(findings, escalation, now) };

    private static (AlertEvent Event, int Level)? Next(
        int told, IReadOnlyCollection<FindingAlert> findings, ImmutableArray<TimeSpan> escalation, DateTimeOffset now)
    {
        var open = findings.Where(finding => finding.Closed is null).ToList();
        if (open.Count == 0)
            return findings.All(finding => now - finding.Closed >= SettlesAfter) ? (AlertEvent.Settled, told) : null;
        var level = Level(open, escalation, now);
        return level > told ? (AlertEvent.Escalated, level) : null;
    }

    private static int Level(IReadOnlyCollection<FindingAlert> findings, ImmutableArray<TimeSpan> escalation, DateTimeOffset now)
    {
        var since = findings.Min(finding => finding.Finding.Since);
        return escalation.Count(time => now - since >= time);
    }

    private static (FindingKind, string, string?) KeyOf(FindingAlert finding) => (finding.Finding.Kind, finding.Finding.Subject, finding.Finding.Node);
}

/// <summary>Why people are told of a finding. The names are <see cref="AlertMessage.Event"/>.</summary>
internal enum AlertEvent
{
    Opened,

    /// <summary>The finding is still open after one of the times of <c>alert_escalation</c>.</summary>
    Escalated,

    /// <summary>The finding is over.</summary>
    Settled,
}

/// <summary>What people are to be told now, in one message.</summary>
/// <param name="Event">Why.</param>
/// <param name="Escalation">What the message says: 0 for the opening, however old the finding is.</param>
/// <param name="Findings">One finding, or those that are told together.</param>
/// <param name="Together">The lowest number of those that are told together; null for a finding by itself.</param>
internal sealed record DueAlert(AlertEvent Event, int Escalation, IReadOnlyList<FindingAlert> Findings, long? Together)
{
    /// <summary>The escalation that is reached by it.</summary>
    public int Reached { get; init; } = Escalation;

    /// <summary>The number that stands for the message: it is never another one's.</summary>
    public long Id => Together ?? Findings[0].Id;
}

/// <summary>A message on its way through the channels, and what it stands for.</summary>
/// <param name="message">What people are told.</param>
/// <param name="due">The findings.</param>
/// <param name="channels">How many channels it takes.</param>
internal sealed class AlertItem(AlertMessage message, DueAlert due, int channels)
{
    private int left = channels;

    public AlertMessage Message { get; } = message;

    public DueAlert Due { get; } = due;

    /// <summary>A channel is through with it, delivered or given up.</summary>
    /// <returns>True for the last one.</returns>
    public bool PassedOne() => Interlocked.Decrement(ref left) <= 0;
}
