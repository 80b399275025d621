using System.Collections.Immutable;
using System.Globalization;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Administration.Status;

/// <summary>What needs a person, once for each cause: the open findings that tell the same of different destinations. Advice needs nobody.</summary>
/// <remarks>
/// <code>
/// findings of one kind and severity that name the same presented keys       one provider changed the key of many customers
/// otherwise those whose sentences differ only in their subjects             one resolver fails for many destinations
/// </code>
/// </remarks>
/// <param name="Kind">The kind of its findings.</param>
/// <param name="Severity">What it means for mail.</param>
/// <param name="First">The oldest of its findings.</param>
/// <param name="Concerned">Whom its findings are about, the oldest first.</param>
/// <param name="Mail">What waits for its destinations, each message once; null where nothing is known to wait.</param>
public sealed record StatusCause(FindingKind Kind, FindingSeverity Severity, FindingJson First, ImmutableArray<ConcernedSubject> Concerned, WaitingCount? Mail)
{
    private const string Each = "...";
    private const int MostShared = 2;

    /// <summary>The number of the oldest finding in the store; null where it has none there, or none was asked for.</summary>
    public long? Id { get; init; }

    /// <summary>How many messages wait for its destinations; null where that is not known, be it of one of them.</summary>
    public long? WaitingMessages { get; init; }

    /// <summary>What was seen; of several findings without their subjects.</summary>
    public string Detail => Concerned.Length == 1 ? First.Detail : WithoutSubject(First, First.Detail);

    /// <summary>What was seen, for a line that says already whom it concerns: without the names with which the sentence begins.</summary>
    public string Gist => Kind == FindingKind.ConfigurationUnusable && WithoutNames(First) is [>= '0' and <= '9', ..] place ? $"line {place}"
        : Concerned.Length == 1 ? WithoutNames(First)
        : Shared + WithoutSubject(First, WithoutNames(First));

    /// <summary>The MX hosts that all its findings name: a provider's, of many customers.</summary>
    public ImmutableArray<string> MxHosts { get; init; } = [];

    private string Shared => MxHosts.Length switch
    {
        0 => "",
        <= MostShared => $"{string.Join(", ", MxHosts)}: ",
        var all => string.Create(CultureInfo.InvariantCulture, $"{MxHosts[0]} and {all - 1} more: "),
    };

    /// <summary>True where somebody has to act or to judge.</summary>
    public bool NeedsPerson => Severity != FindingSeverity.ForInformation;

    /// <summary>Since when the first of them is open.</summary>
    public DateTimeOffset Since => First.Since;

    /// <summary>How many destinations it concerns.</summary>
    public int Destinations { get; } = DestinationsOf(Concerned);

    /// <summary>Whom it concerns: the one, or how many.</summary>
    public string Whom { get; } = WhomOf(Kind, Concerned);

    /// <summary>The command that settles it, or the one that lists the commands of several.</summary>
    public string Remedy => Concerned.Length == 1 ? First.Remedy : $"policyctl status --kind {Kind.Name()}";

    /// <summary>The causes of what is open, the worst first.</summary>
    /// <param name="findings">What is open.</param>
    /// <param name="mail">What waits; null where that is not known.</param>
    public static ImmutableArray<StatusCause> Of(IEnumerable<FindingJson> findings, WaitingMail? mail)
    {
        ArgumentNullException.ThrowIfNull(findings);
        var gathered = new CauseGathering();
        foreach (var finding in findings)
            gathered.Add(finding);
        return gathered.Causes(mail);
    }

    /// <summary>A configuration that cannot be used comes first, since all that is told rests on it; then what mail waits for, then what most mail waits for, then
    /// the widest, then the oldest.</summary>
    internal static IEnumerable<StatusCause> WorstFirst(IEnumerable<StatusCause> causes) =>
        causes.OrderByDescending(cause => cause.Kind == FindingKind.ConfigurationUnusable).ThenBy(cause => cause.Severity).ThenByDescending(cause => cause.Mail?.Messages ?? 0).ThenByDescending(cause => cause.Destinations)
            .ThenBy(cause => cause.Since).ThenBy(cause => cause.Whom, StringComparer.Ordinal);

    /// <summary>How many destinations these causes concern together; one that several name is one.</summary>
    public static int DestinationsOf(IEnumerable<StatusCause> causes) => DestinationsOf(causes.SelectMany(cause => cause.Concerned));

    /// <summary>What waits for the destinations of these causes together, each message once; null where nothing is known to wait.</summary>
    public static WaitingCount? MailOf(IEnumerable<StatusCause> causes, WaitingMail mail)
    {
        ArgumentNullException.ThrowIfNull(mail);
        return mail.Of(causes.SelectMany(cause => Keys(cause.Kind, cause.Concerned)).OfType<NextHop>());
    }

    internal static IEnumerable<NextHop?> Keys(FindingKind kind, IEnumerable<ConcernedSubject> concerned) =>
        concerned.Select(one => FindingMail.Destination(kind, one.Subject)).Distinct();

    /// <summary>What the findings of one cause have in common, beside kind and severity.</summary>
    internal static string Likeness(FindingJson finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        return finding.Seen.Count > 0
            ? string.Join(' ', finding.Seen.Select(seen => seen.PublicKeyFingerprint).Distinct().Order(StringComparer.Ordinal))
            : WithoutSubject(finding, finding.Detail);
    }

    private static int DestinationsOf(IEnumerable<ConcernedSubject> concerned)
    {
        var most = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (subject, affects, _, _) in concerned)
            most[subject] = Math.Max(most.GetValueOrDefault(subject), affects);
        return most.Values.Sum();
    }

    private static string WhomOf(FindingKind kind, ImmutableArray<ConcernedSubject> concerned) =>
        concerned is [{ Affects: 1 } one] ? one.Subject + (one.Node is { } node ? $" on {node}" : "")
        : concerned.All(each => each.Node is not null) ? Phrases.Count(concerned.Select(each => each.Node).Distinct().Count(), "node")
        // The part of the program that saw it is nobody's concern.
        : concerned is [{ Node: null } of] && kind.IsOf(FindingSource.Prober) && FindingMail.Destination(kind, of.Subject) is null ? Phrases.Count(of.Affects, "destination")
        : concerned is [var many] ? $"{many.Subject} ({Phrases.Count(many.Affects, "destination")})"
        : Phrases.Count(DestinationsOf(concerned), "destination");

    private static string WithoutNames(FindingJson finding)
    {
        var hosts = string.Join(", ", finding.Seen.Select(seen => seen.MxHost).Distinct());
        foreach (var names in new[] { hosts, finding.Subject })
        {
            if (names.Length > 0 && finding.Detail.StartsWith(names, StringComparison.Ordinal) && finding.Detail[names.Length..] is [' ' or ':', ..] rest)
                return rest.TrimStart(':', ' ');
        }

        return finding.Detail;
    }

    private static string WithoutSubject(FindingJson finding, string detail)
    {
        var text = detail.Replace(finding.Subject, Each, StringComparison.Ordinal);
        return finding.Subject.StartsWith('.') ? text.Replace(finding.Subject[1..], Each, StringComparison.Ordinal) : text;
    }
}

/// <summary>Whom a finding is about.</summary>
/// <param name="Subject">The destination, file or part.</param>
/// <param name="Affects">How many destinations the finding concerns.</param>
/// <param name="Since">Since when it is open.</param>
/// <param name="Node">The node that it is about; null where it is about what all nodes share.</param>
public readonly record struct ConcernedSubject(string Subject, int Affects, DateTimeOffset Since, string? Node = null);
