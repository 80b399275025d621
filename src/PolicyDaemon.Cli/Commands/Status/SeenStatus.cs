using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary>The status as <c>status</c> shows it: what store and daemon say, and what of the configuration and of Postfix's queue is seen from here.</summary>
internal static class SeenStatus
{
    /// <param name="context">The command.</param>
    /// <param name="queue">Reads the queue.</param>
    /// <returns>The report, and what waits; null where that is not known.</returns>
    internal static (StatusReport Status, WaitingMail? Mail) Gather(CommandContext context, Func<WaitingMail?> queue)
    {
        var problems = context.ReadUsable();
        var status = StatusReport.Gather(context.Settings, context.Host.Time);
        var mail = queue();
        if (problems.Count > 0)
        {
            // Where it would say how it is may stand in what cannot be read.
            var isSure = status.Settings.File == SettingsReader.DefaultFile || File.Exists(DaemonLock.Path(status.Settings.StatusFile));
            status = status with { Running = status.Running == false && !isSure ? null : status.Running, Findings = [SeenFindings.OfConfiguration(problems, status.At), .. status.Findings] };
        }

        if (mail is not null)
            status = status with { Findings = [.. status.Findings, .. SeenFindings.OfWaitingMail(status, mail, context.Host.Time)] };
        return (status, mail);
    }
}
