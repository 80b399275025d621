using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;

namespace PolicyDaemon.Daemon.Systemd;

/// <summary>Tells systemd that the daemon is alive, from the threads that answer lookups; a daemon that hangs is started again.</summary>
/// <remarks>See sd_watchdog_enabled(3) and systemd.service(5), WatchdogSec.</remarks>
internal sealed class Watchdog(ISystemdNotifier notifier, TimeProvider time) : BackgroundService
{
    private static readonly ServiceState Alive = new("WATCHDOG=1");

    /// <summary>The interval of the messages, half of systemd's limit as its manual advises; null where systemd does not watch this process.</summary>
    internal static TimeSpan? Interval(string? watchdogUsec, string? watchdogPid, int processId)
    {
        if (!string.IsNullOrEmpty(watchdogPid) && watchdogPid != processId.ToString(CultureInfo.InvariantCulture))
            return null;
        return long.TryParse(watchdogUsec, NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds is > 0 and < int.MaxValue * 1000L
            ? TimeSpan.FromMicroseconds(microseconds / 2)
            : null;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (Interval(
            Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"), Environment.ProcessId) is not { } interval)
            return;
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            do
                notifier.Notify(Alive);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // Stopping; systemd watches that with TimeoutStopSec.
        }
    }
}
