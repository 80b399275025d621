using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary>The status as <c>status</c> shows it: what store and daemon say, and what of the configuration and of Postfix's queue is seen from here.</summary>
internal static class SeenStatus
{
    /// <param name="context">The command.</param>
    /// <param name="queue">Reads the queue.</param>
    /// <param name="reading">What is asked for of the findings.</param>
    /// <returns>The report, and what waits; null where that is not known.</returns>
    internal static (StatusReport Status, WaitingMail? Mail) Gather(CommandContext context, Func<WaitingMail?> queue, FindingReading reading)
    {
        var problems = context.ReadUsable();
        var mail = queue();
        var status = StatusReport.Gather(context.Settings, context.Host.Time, reading with { Mail = () => mail, Beside = Seen });
        return (Sure(status), mail);

        IEnumerable<FindingJson> Seen(StatusReport known, PolicyStore? store) =>
        [
            .. problems.Count > 0 ? [SeenFindings.OfConfiguration(problems, known.At)] : (FindingJson[])[],
            .. mail is null || store is null ? [] : SeenFindings.OfWaitingMail(Sure(known), store, mail),
        ];

        // Where the daemon would say how it is may stand in what cannot be read.
        StatusReport Sure(StatusReport known) =>
            problems.Count > 0 && known is { Running: false } && known.Settings.File != SettingsReader.DefaultFile && !File.Exists(DaemonLock.Path(known.Settings.StatusFile))
                ? known with { Running = null }
                : known;
    }
}
