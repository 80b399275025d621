using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;

namespace PolicyDaemon.Daemon.Systemd;

/// <summary>What systemd asks of the process it runs: readiness, its watchdog, and log lines with a priority.</summary>
/// <remarks>
/// The framework recognises systemd by the name of the parent process, which our own sandbox hides (ProtectProc=invisible); what
/// systemd hands over says it better. See systemd.exec(5), ENVIRONMENT VARIABLES SET OR PROPAGATED BY THE SERVICE MANAGER.
/// </remarks>
internal static class ServiceManager
{
    /// <summary>True where systemd waits for the message that the daemon is ready.</summary>
    internal static bool IsListening => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));

    /// <summary>True where standard output is the journal, and not a terminal or a file that was put in its place.</summary>
    internal static bool ReadsStandardOutput => IsStream(
        Environment.GetEnvironmentVariable("JOURNAL_STREAM"), new FileInfo("/proc/self/fd/1").LinkTarget);

    internal static void AddTo(IServiceCollection services)
    {
        if (!IsListening)
            return;
        services.AddSingleton<ISystemdNotifier>(new SystemdNotifier());
        services.AddSingleton<IHostLifetime, SystemdLifetime>();
        services.AddHostedService<Watchdog>();
    }

    /// <param name="journalStream">JOURNAL_STREAM: device and inode number, separated by a colon.</param>
    /// <param name="descriptor">The target of the descriptor's link in /proc: <c>socket:[INODE]</c>.</param>
    internal static bool IsStream(string? journalStream, string? descriptor) =>
        journalStream is not null && descriptor is not null && journalStream.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon
        && descriptor == $"socket:[{journalStream[(colon + 1)..]}]";
}
