using System.Globalization;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Status;

/// <summary>The findings that nobody stores: whoever asks for the status sees them for himself, in the configuration and in Postfix's queue.</summary>
public static class SeenFindings
{
    // Each takes some queries, and a status is not waited for.
    private const int MostDomains = 200;

    // An unknown key is answered with all that are known, for which policyd --check has the room.
    private const int MostOfProblem = 160;

    /// <summary>The finding that the configuration cannot be used.</summary>
    /// <param name="problems">What is wrong with it; one at least.</param>
    /// <param name="now">The time, UTC.</param>
    public static FindingJson OfConfiguration(IReadOnlyList<ConfigurationProblem> problems, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(problems);
        var file = problems[0].File;
        var more = problems.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" (and {problems.Count - 1} more)") : "";
        return new FindingJson(
            FindingKind.ConfigurationUnusable.Name(), file, $"{Phrases.Cut(problems[0].ToString(), MostOfProblem)}{more}", $"policyd --check --config {Shell.Quote(file)}", Changed(file) is { } at && at < now ? at : now);
    }

    /// <summary>The findings that mail waits because of TLS or of the policy, for destinations that policyd answers for and about which no open finding says
    /// that mail waits.</summary>
    /// <param name="status">The report, with what the daemon found and the store does not have.</param>
    /// <param name="store">The store.</param>
    /// <param name="mail">What waits.</param>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public static IReadOnlyList<FindingJson> OfWaitingMail(StatusReport status, PolicyStore store, WaitingMail mail)
    {
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(mail);
        // Where nothing is answered everything waits, which is told once.
        return mail.OfPolicy.Count == 0 || status.Running == false || status.Live is { Snapshot: null }
            ? []
            : [.. mail.OfPolicy.OrderByDescending(one => one.Value.Messages).ThenBy(one => one.Key, StringComparer.Ordinal).Take(MostDomains)
                .Select(one => NextHop.TryParse(one.Key, out var key, out _) ? Of(key, one.Value, store, status) : null).OfType<FindingJson>()];
    }

    private static FindingJson? Of(NextHop key, WaitingCount count, PolicyStore store, StatusReport status)
    {
        var explanation = Explanation.Of(key, store, status.Settings, status.At);
        if (explanation.Answer.Kind == LookupAnswerKind.NotFound || IsKnown(key, store, status) || (explanation.Rule is { } rule && IsKnown(rule.Key, store, status)))
            return null;
        var isEntered = explanation.Rule?.Key == key;
        var probed = isEntered ? store.ReadProbeState(key) : null;
        // A probe that is younger than the staleness of a lookup's is not made again, and Postfix's next attempt may be an hour away.
        var isWell = probed is { Verdict: DestinationVerdict.Ok, LastProbe: { } last } && status.At - last < status.Settings.Probe.LookupStaleness;
        return new FindingJson(
            FindingKind.DeliveryDeferred.Name(), key.Text,
            $"Postfix defers mail for {key.Text}: {count.Reason}{(isWell ? "; a probe that was made since would be delivered" : "")}",
            isWell ? $"postqueue -s {Shell.Quote(key.Text)}" : isEntered ? $"policyctl probe {Shell.Quote(key.Text)}" : $"policyctl explain {Shell.Quote(key.Text)}",
            count.Oldest)
        {
            Severity = FindingSeverity.MailWaits.Name(),
        };
    }

    private static bool IsKnown(NextHop key, PolicyStore store, StatusReport status) =>
        status.Findings.Concat(store.OpenFindings(key).Select(finding => FindingJson.From(finding)))
            .Any(finding => finding.Subject == key.Text && finding.Severity == FindingSeverity.MailWaits.Name());

    private static DateTimeOffset? Changed(string file)
    {
        try
        {
            return File.Exists(file) ? new DateTimeOffset(File.GetLastWriteTimeUtc(file), TimeSpan.Zero) : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
