using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Doctor;

/// <summary>Whether findings reach a person beside the journal.</summary>
public static class AlertCheck
{
    private const string Name = "alerts";

    /// <summary>The command that tries the channels.</summary>
    public const string Try = "policyctl doctor --send";

    /// <param name="alerts">The channels, as they are configured.</param>
    /// <param name="open">The open findings.</param>
    /// <param name="sent">What became of test alerts; null where none were sent.</param>
    public static IEnumerable<DoctorFinding> Judge(AlertSettings alerts, IEnumerable<FindingJson> open, IReadOnlyList<SentAlert>? sent)
    {
        ArgumentNullException.ThrowIfNull(alerts);
        ArgumentNullException.ThrowIfNull(open);
        if (!alerts.HasChannel)
        {
            yield return DoctorFinding.Warning(
                Name, "findings stand in the journal and in policyctl status, and are told to nobody: set alert_command or alert_webhook in [probe], or let monitoring run policyctl status --check");
            yield break;
        }

        var failing = open.Where(finding => finding.Kind == FindingKind.AlertNotDelivered.Name()).ToList();
        foreach (var finding in failing)
            yield return DoctorFinding.Problem(Name, $"{finding.Subject}: {finding.Detail}; people are not told", Try);
        if (sent is null)
        {
            if (failing.Count == 0)
                yield return DoctorFinding.Ok(Name, $"findings go to {Channels(alerts)}; not tried, {Try} does");
            yield break;
        }

        foreach (var channel in sent)
        {
            yield return channel.Problem is { } problem
                ? DoctorFinding.Problem(Name, $"{channel.Channel} did not take a test alert: {problem}; people would not be told", Try)
                : DoctorFinding.Ok(Name, $"{channel.Channel} took a test alert; see that it arrived");
        }
    }

    private static string Channels(AlertSettings alerts) => string.Join(" and ", new[]
    {
        alerts.Command.IsEmpty ? null : $"alert_command ({alerts.Command[0]})",
        alerts.Webhook is { } webhook ? $"alert_webhook ({webhook.Host})" : null,
    }.OfType<string>());
}
