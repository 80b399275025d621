using System.Globalization;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary><c>status --check</c>: one line, performance data and an exit status as a plugin of Nagios or Icinga gives them.</summary>
/// <remarks>
/// <code>
/// POLICYDAEMON CRITICAL - mail of 2 destinations waits (new-key partner.example, ...) | waits=2;;0 will_wait=0;0 ... waiting_mails=12 ...
/// </code>
/// The exit status is 0 OK, 1 WARNING, 2 CRITICAL or 3 UNKNOWN, as <see cref="StatusJudgement"/> finds. See the Monitoring Plugins Development Guidelines, "Plugin Output" and "Performance data".
/// </remarks>
internal static class StatusCheck
{
    private static readonly StoredNames<StatusHealth> Words = new(
        (StatusHealth.Ok, "OK"), (StatusHealth.Warning, "WARNING"), (StatusHealth.Critical, "CRITICAL"), (StatusHealth.Unknown, "UNKNOWN"));

    internal static ExitCode Run(CommandContext context)
    {
        try
        {
            return Report(context);
        }
        catch (Exception fault) when (Failures.TryDescribe(fault, out var failure))
        {
            // A configuration that is not there, say: whether mail goes on is not known, and that is for the plugin to tell.
            context.Report.Verbatim($"POLICYDAEMON {Words.Of(StatusHealth.Unknown)} - {WithoutBar(string.Join("; ", [failure.Message, .. failure.Details]))}");
            return (ExitCode)(int)StatusHealth.Unknown;
        }
    }

    private static ExitCode Report(CommandContext context)
    {
        var (status, mail) = SeenStatus.Gather(context, () => MailQueue.Read(context.Host), new FindingReading());
        // It counted what is open, as nobody had before.
        var open = status.Open!;
        var (health, text) = StatusJudgement.Of(status, open.Causes);
        context.Report.Verbatim($"POLICYDAEMON {Words.Of(health)} - {WithoutBar(text)} | {Data(status, open, mail)}");
        // The exit status of a plugin, which is none of policyctl's own.
        return (ExitCode)(int)health;
    }

    // A bar begins the performance data; other people's text must not.
    private static string WithoutBar(string text) => text.ReplaceLineEndings(" ").Replace('|', '/');

    private static string Data(StatusReport status, FindingSurvey open, WaitingMail? mail)
    {
        // "U" where the value could not be determined; a zero would say that all is well.
        var data = status.AreFindingsUnknown
            ? ["waits=U;;0", "will_wait=U;0", "look_at_it=U;0"]
            : new List<string>
            {
                Number("waits", Destinations(FindingSeverity.MailWaits), ";;0"),
                Number("will_wait", Destinations(FindingSeverity.MailWillWait), ";0"),
                Number("look_at_it", open.Causes.Count(FindingSeverity.LookAtIt), ";0"),
            };
        if (mail is not null)
            data.Add(Number("deferred_mails", mail.Messages));
        if (status.Counts is { } counts)
            data.Add(Number("destinations", counts.Destinations));
        if (status.Live is { } live)
        {
            data.Add(Number("found", live.Counters.Found, "", "c"));
            data.Add(Number("not_found", live.Counters.NotFound, "", "c"));
            data.Add(Number("temporary", live.Counters.Temporary, "", "c"));
        }

        return string.Join(' ', data);

        long Destinations(FindingSeverity severity) => open.Severities.TryGetValue(severity.Name(), out var known) ? known.Destinations : 0;

        static string Number(string name, long value, string limits = "", string unit = "") =>
            string.Create(CultureInfo.InvariantCulture, $"{name}={value}{unit}{limits}");
    }
}
