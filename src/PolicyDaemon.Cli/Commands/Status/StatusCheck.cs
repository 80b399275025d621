using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary><c>status --check</c>: one line, performance data and an exit status as a plugin of Nagios or Icinga gives them.</summary>
/// <remarks>
/// <code>
/// POLICYDAEMON CRITICAL - mail of 2 destinations waits (new-key partner.example, ...) | waits=2;;0 will_wait=0;0 ... waiting_mails=12 ...
/// 0 OK         nothing needs a person, but what is for information
/// 1 WARNING    mail will wait, or a person has to look at something
/// 2 CRITICAL   mail waits, policyd does not run, or it has nothing to answer from
/// 3 UNKNOWN    it cannot be told
/// </code>
/// See the Monitoring Plugins Development Guidelines, "Plugin Output" and "Performance data".
/// </remarks>
internal static class StatusCheck
{
    private const int Shown = 3;

    internal static ExitCode Run(CommandContext context)
    {
        var status = StatusReport.Gather(context.Settings, context.Host.Time);
        var mail = MailQueue.Read(context.Host);
        var causes = StatusCause.Of(status.Findings, mail);
        var (code, word, text) = Judge(status, [.. causes]);
        // A bar begins the performance data; other people's text must not.
        context.Report.Verbatim($"POLICYDAEMON {word} - {text.Replace('|', '/')} | {Data(status, [.. causes], mail)}");
        return code;
    }

    private static (ExitCode Code, string Word, string Text) Judge(StatusReport status, IReadOnlyList<StatusCause> causes)
    {
        if (status.Running == false)
            return Critical("policyd does not run: every delivery that asks it is deferred; systemctl start policyd");
        if (status.Live is null)
            return ((ExitCode)3, "UNKNOWN", DeliveryCounts.Of(status));
        if (status.Live.Snapshot is null)
            return Critical(DeliveryCounts.Of(status));
        var waits = causes.Where(cause => cause.Severity == FindingSeverity.MailWaits).ToList();
        if (waits.Count > 0)
            return Critical($"mail of {Phrases.Count(waits.Sum(cause => cause.Destinations), "destination")} waits: {Named(waits)}");
        if (status.StoreProblem is { } problem)
            return ((ExitCode)1, "WARNING", problem.Message);
        var open = causes.Where(cause => cause.Severity != FindingSeverity.ForInformation).ToList();
        return open.Count > 0
            ? ((ExitCode)1, "WARNING", $"{Phrases.Count(open.Count, "thing")} to look at: {Named(open)}")
            : (ExitCode.Done, "OK", DeliveryCounts.Of(status));

        static (ExitCode, string, string) Critical(string text) => ((ExitCode)2, "CRITICAL", text);
    }

    private static string Named(List<StatusCause> causes) =>
        string.Join(", ", causes.Take(Shown).Select(cause => $"{cause.Kind.Name()} {cause.Whom}"))
        + (causes.Count > Shown ? string.Create(CultureInfo.InvariantCulture, $" and {causes.Count - Shown} more") : "");

    private static string Data(StatusReport status, IReadOnlyList<StatusCause> causes, WaitingMail? mail)
    {
        var data = new List<string>
        {
            Number("waits", Destinations(FindingSeverity.MailWaits), ";;0"),
            Number("will_wait", Destinations(FindingSeverity.MailWillWait), ";0"),
            Number("look_at_it", causes.Count(cause => cause.Severity == FindingSeverity.LookAtIt), ";0"),
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

        long Destinations(FindingSeverity severity) => causes.Where(cause => cause.Severity == severity).Sum(cause => (long)cause.Destinations);

        static string Number(string name, long value, string limits = "", string unit = "") =>
            string.Create(CultureInfo.InvariantCulture, $"{name}={value}{unit}{limits}");
    }
}
