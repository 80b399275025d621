using System.Text.Json.Serialization;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>What people are told: the JSON of <c>alert_command</c> and <c>alert_webhook</c>. See policydaemon.conf(5), ALERTS.</summary>
/// <param name="Event"><c>opened</c>, <c>escalated</c> or <c>settled</c>.</param>
/// <param name="Kind">The kind of finding; <c>many-findings</c> where so many came at once that they are told together.</param>
/// <param name="Subject">What it is about: a destination, <c>prober</c>, a file.</param>
/// <param name="Detail">A sentence.</param>
/// <param name="Remedy">The command that settles it.</param>
/// <param name="Since">When it was first seen.</param>
/// <param name="At">When this was written.</param>
/// <param name="Escalation">0 for the first time, then 1, 2 and so on.</param>
/// <param name="Affects">How many destinations it concerns; of many findings, how many there are.</param>
/// <param name="Outcome">The class of what a probe met; null where no probe is the source.</param>
/// <param name="ResultType">Its result type in RFC 8460 section 4.3; null where none fits.</param>
/// <param name="Expected">The served pins.</param>
/// <param name="Seen">What was presented instead.</param>
/// <param name="Host">The machine that says it.</param>
/// <param name="Version">The program's version.</param>
internal sealed record AlertMessage(
    string Event,
    string Kind,
    string Subject,
    string Detail,
    string Remedy,
    DateTimeOffset Since,
    DateTimeOffset At,
    int Escalation,
    int Affects,
    string? Outcome,
    string? ResultType,
    IReadOnlyList<string> Expected,
    IReadOnlyList<AlertSeen> Seen,
    string Host,
    string Version)
{
    /// <summary>The kind of a message that stands for many.</summary>
    public const string Many = "many-findings";

    // As a person reads them and a variable takes them.
    private const int MaxSeen = 50;

    public static AlertMessage Of(DueAlert due, DateTimeOffset now)
    {
        var finding = due.Finding.Finding;
        return new AlertMessage(
            Name(due.Event), finding.Kind.Name(), finding.Subject, finding.Detail, finding.Remedy, finding.Since, now, due.Escalation,
            finding.Affects, finding.Outcome?.Name(), finding.Outcome?.ResultType(),
            [.. finding.Expected.Select(pin => pin.Hex).Take(MaxSeen)],
            [.. finding.Seen.Take(MaxSeen).Select(seen => new AlertSeen(
                seen.MxHost, seen.Target.Id, seen.PublicKey.Hex, seen.Certificate.Hex, seen.Since))],
            Environment.MachineName, DaemonVersion.Text);
    }

    /// <summary>One message for many findings of one event, all of which <c>policyctl status</c> lists.</summary>
    public static AlertMessage OfMany(IReadOnlyCollection<DueAlert> many, DateTimeOffset now)
    {
        var kinds = many.GroupBy(due => due.Finding.Finding.Kind)
            .OrderByDescending(kind => kind.Count())
            .Select(kind => $"{kind.Count()} {kind.Key.Name()}");
        var first = many.First();
        return new AlertMessage(
            Name(first.Event), Many, "prober",
            $"{many.Count} findings at once ({string.Join(", ", kinds)}), among them {string.Join(", ", many.Take(5).Select(due => due.Finding.Finding.Subject))}",
            "policyctl status", many.Min(due => due.Finding.Finding.Since), now, many.Max(due => due.Escalation), many.Count, null, null, [],
            [], Environment.MachineName, DaemonVersion.Text);
    }

    public static string Name(AlertEvent what) => what switch
    {
        AlertEvent.Opened => "opened",
        AlertEvent.Escalated => "escalated",
        _ => "settled",
    };
}

/// <summary>A key that a server presented.</summary>
/// <param name="MxHost">The MX host's name.</param>
/// <param name="Address">Its address and port.</param>
/// <param name="PublicKey">The fingerprint of the public key.</param>
/// <param name="Certificate">The fingerprint of the certificate.</param>
/// <param name="Since">Since when each probe has seen it.</param>
internal sealed record AlertSeen(string MxHost, string Address, string PublicKey, string Certificate, DateTimeOffset Since);

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
