using System.Collections.Immutable;
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
/// <param name="Findings">All of them, the oldest first.</param>
/// <param name="Detail">What was seen; of several findings without their subjects.</param>
/// <param name="Mail">What waits for its destinations, each message once; null where nothing is known to wait.</param>
public sealed record StatusCause(FindingKind Kind, FindingSeverity Severity, ImmutableArray<FindingJson> Findings, string Detail, WaitingCount? Mail)
{
    private const string Each = "...";

    /// <summary>How many messages wait for its destinations; null where that is not known, be it of one of them.</summary>
    public long? WaitingMessages { get; init; }

    /// <summary>What was seen, for a line that says already whom it concerns: without the names with which the sentence begins.</summary>
    public string Gist { get; init; } = Detail;

    /// <summary>True where somebody has to act or to judge.</summary>
    public bool NeedsPerson => Severity != FindingSeverity.ForInformation;

    /// <summary>Since when the first of them is open.</summary>
    public DateTimeOffset Since => Findings[0].Since;

    /// <summary>How many destinations it concerns.</summary>
    public int Destinations => DestinationsOf(Findings);

    /// <summary>Whom it concerns: the one, or how many.</summary>
    public string Whom => Findings is [{ Affects: 1 } one] ? one.Subject + (one.Node is { } node ? $" on {node}" : "")
        : Findings.All(finding => finding.Node is not null) ? $"{Phrases.Count(Findings.Select(finding => finding.Node).Distinct().Count(), "node")}"
        : Findings is [var many] ? $"{many.Subject} ({Phrases.Count(many.Affects, "destination")})"
        : Phrases.Count(Destinations, "destination");

    /// <summary>The command that settles it, or the one that lists the commands of several.</summary>
    public string Remedy => Findings is [var one] ? one.Remedy : $"policyctl status --kind {Kind.Name()}";

    /// <summary>The causes of what is open, the worst first: what mail waits for, then what most mail waits for, then the widest, then the oldest.</summary>
    /// <param name="findings">What is open.</param>
    /// <param name="mail">What waits; null where that is not known.</param>
    public static ImmutableArray<StatusCause> Of(IEnumerable<FindingJson> findings, WaitingMail? mail)
    {
        ArgumentNullException.ThrowIfNull(findings);
        return
        [
            .. findings.Select(finding => (Finding: finding, Kind: KindOf(finding))).Where(one => one.Kind is { } kind && !kind.Description().IsAdvice)
                .GroupBy(one => (Kind: one.Kind!.Value, one.Finding.Severity, Cause(one.Finding)), one => one.Finding)
                .Select(group => Of(group.Key.Kind, [.. group.OrderBy(finding => finding.Since).ThenBy(finding => finding.Subject, StringComparer.Ordinal)], mail))
                .OrderBy(cause => cause.Severity).ThenByDescending(cause => cause.Mail?.Messages ?? 0).ThenByDescending(cause => cause.Destinations)
                .ThenBy(cause => cause.Since).ThenBy(cause => cause.Whom, StringComparer.Ordinal),
        ];
    }

    /// <summary>How many destinations these causes concern together; one that several name is one.</summary>
    public static int DestinationsOf(IEnumerable<StatusCause> causes) => DestinationsOf(causes.SelectMany(cause => cause.Findings));

    /// <summary>What waits for the destinations of these causes together, each message once; null where nothing is known to wait.</summary>
    public static WaitingCount? MailOf(IEnumerable<StatusCause> causes, WaitingMail mail)
    {
        ArgumentNullException.ThrowIfNull(mail);
        return mail.Of(Keys(causes.SelectMany(cause => cause.Findings)).OfType<NextHop>());
    }

    private static StatusCause Of(FindingKind kind, ImmutableArray<FindingJson> findings, WaitingMail? mail)
    {
        var keys = Keys(findings).ToList();
        var waiting = mail?.Of(keys.OfType<NextHop>());
        return new StatusCause(
            kind, FindingSeverities.TryParse(findings[0].Severity, out var severity) ? severity : FindingSeverity.LookAtIt, findings,
            findings is [var one] ? one.Detail : WithoutSubject(findings[0], findings[0].Detail), waiting)
        {
            Gist = findings.Length == 1 ? WithoutNames(findings[0]) : WithoutSubject(findings[0], WithoutNames(findings[0])),
            WaitingMessages = waiting?.Messages ?? (mail is not null && keys.TrueForAll(key => key is { } known && mail.MessagesOf(known) is not null) ? 0 : null),
        };
    }

    private static IEnumerable<NextHop?> Keys(IEnumerable<FindingJson> findings) => findings.Select(finding => finding.Destination()).Distinct();

    private static int DestinationsOf(IEnumerable<FindingJson> findings) =>
        findings.GroupBy(finding => finding.Subject, StringComparer.Ordinal).Sum(subject => subject.Max(finding => finding.Affects));

    // A daemon of another version may name a kind that is not known here; its findings are listed with --all.
    private static FindingKind? KindOf(FindingJson finding) => FindingKinds.TryParse(finding.Kind, out var kind) ? kind : null;

    private static string Cause(FindingJson finding) => finding.Seen.Count > 0
        ? string.Join(' ', finding.Seen.Select(seen => seen.PublicKeyFingerprint).Distinct().Order(StringComparer.Ordinal))
        : WithoutSubject(finding, finding.Detail);

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
