namespace PolicyDaemon.Daemon.Hosting;

/// <summary>How policyd ends. See policyd(8), EXIT STATUS.</summary>
internal enum ExitCode
{
    /// <summary>Stopped on request, or <c>--check</c> found nothing wrong.</summary>
    Done = 0,

    /// <summary>It cannot go on; a service manager starts it again.</summary>
    Failed = 1,

    /// <summary>The command line is wrong.</summary>
    Usage = 2,

    /// <summary>The configuration or the store cannot be used; starting again will not help.</summary>
    Invalid = 5,
}

/// <summary>How the process will end; the part that cannot go on says so before it stops the host.</summary>
internal sealed class DaemonOutcome
{
    public ExitCode Code { get; set; } = ExitCode.Done;
}
