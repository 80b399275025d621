using System.Globalization;
using System.Text.Json.Serialization;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>What people are told: the JSON of <c>alert_command</c> and <c>alert_webhook</c>. See policydaemon.conf(5), ALERTS.</summary>
/// <param name="Event"><c>opened</c>, <c>escalated</c> or <c>settled</c>.</param>
/// <param name="At">When this was written.</param>
/// <param name="Escalation">0 for the first time, then 1, 2 and so on.</param>
/// <param name="Host">The machine that says it.</param>
/// <param name="Version">The program's version.</param>
/// <param name="Finding">The finding; of many that came at once, one of the kind <c>many-findings</c> that stands for all.</param>
internal sealed record AlertMessage(string Event, DateTimeOffset At, int Escalation, string Host, string Version, FindingJson Finding)
{
    /// <summary>Deferred messages to the destination that the finding is about; null where the queue is not known.</summary>
    public long? WaitingMessages { get; init; }

    /// <summary>When the first of these is returned to its sender; null where none waits, or that is not known.</summary>
    public DateTimeOffset? ReturnedAt { get; init; }

    /// <summary>The kind of a message that stands for many.</summary>
    public const string Many = "many-findings";

    // As a person reads them and a variable takes them.
    private const int MaxSeen = 50;

    public static AlertMessage Of(DueAlert due, DateTimeOffset now)
    {
        if (due.Together is { } together)
            return OfMany(due, together, now);
        var finding = FindingJson.From(due.Findings[0].Finding, due.Findings[0].LastSeen);
        return Message(due.Event, now, due.Escalation, finding with
        {
            Expected = [.. finding.Expected.Take(MaxSeen)],
            Seen = [.. finding.Seen.Take(MaxSeen)],
        });
    }

    /// <summary>One message for many findings, all of which <c>policyctl status</c> lists; its subject is theirs alone, from their opening to their end.</summary>
    private static AlertMessage OfMany(DueAlert due, long together, DateTimeOffset now)
    {
        var kinds = due.Findings.GroupBy(finding => finding.Finding.Kind)
            .OrderByDescending(kind => kind.Count())
            .Select(kind => $"{kind.Count()} {kind.Key.Name()}");
        return Message(due.Event, now, due.Escalation, new FindingJson(
            Many, string.Create(CultureInfo.InvariantCulture, $"findings-{together}"),
            $"{due.Findings.Count} findings at once ({string.Join(", ", kinds)}), among them {string.Join(", ", due.Findings.Take(5).Select(finding => finding.Finding.Subject))}",
            "policyctl status", due.Findings.Min(finding => finding.Finding.Since))
        {
            Severity = due.Findings.Min(finding => finding.Finding.Severity).Name(),
            Affects = due.Findings.Count,
        });
    }

    public static string Name(AlertEvent what) => what switch
    {
        AlertEvent.Opened => "opened",
        AlertEvent.Escalated => "escalated",
        _ => "settled",
    };

    private static AlertMessage Message(AlertEvent what, DateTimeOffset now, int escalation, FindingJson finding) =>
        new(Name(what), now, escalation, Environment.MachineName, DaemonVersion.Text, finding);
}

/// <summary>How a run of the alert command ended, as policyd-alert@.service says it to the daemon.</summary>
/// <param name="ExitCode">Null where it did not end by itself or was not started.</param>
/// <param name="Problem">Why not; null where it ended by itself.</param>
/// <param name="Output">The beginning of what it printed.</param>
internal sealed record AlertRunResult(int? ExitCode, string? Problem, string Output);

/// <summary>Reads and writes alerts without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(AlertMessage))]
[JsonSerializable(typeof(AlertRunResult))]
internal sealed partial class AlertJson : JsonSerializerContext;
