using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Daemon;

/// <summary>How the process will end; the part that cannot go on says so before it stops the host.</summary>
internal sealed class DaemonOutcome
{
    public ExitCode Code { get; set; } = ExitCode.Done;
}
