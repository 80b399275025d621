namespace PolicyDaemon.Daemon.Hosting;

/// <summary>The exit status of policyd. See policyd(8), EXIT STATUS.</summary>
internal enum DaemonExitCode
{
    /// <summary>Stopped on request, or <c>--check</c> found nothing wrong.</summary>
    Done = 0,

    /// <summary>A part of the daemon cannot go on; a service manager starts the daemon again.</summary>
    Failed = 1,

    /// <summary>The command line is wrong.</summary>
    Usage = 2,

    /// <summary>The configuration or the store cannot be used; starting again will not help.</summary>
    Invalid = 5,
}

/// <summary>The exit status that the process will have; a part that cannot go on sets it before it stops the host.</summary>
internal sealed class DaemonOutcome
{
    public DaemonExitCode Code { get; set; } = DaemonExitCode.Done;
}
