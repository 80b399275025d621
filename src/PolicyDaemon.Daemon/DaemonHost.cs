using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Systemd;
using PolicyDaemon.Store;

namespace PolicyDaemon.Daemon;

/// <summary>One life of the daemon: makes its parts, starts them, and ends with an exit code.</summary>
internal static class DaemonHost
{
    /// <summary>How long all parts together may take to stop; each has shorter limits of its own.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(30);

    /// <summary>Serves until SIGTERM or SIGINT, or until a part cannot go on.</summary>
    /// <exception cref="ConfigurationException">The endpoints cannot be used.</exception>
    internal static async Task<ExitCode> RunAsync(Settings settings)
    {
        var endpoints = Endpoints.From(settings);
        var inherited = InheritedSockets.Take(settings.File ?? "built-in defaults", endpoints);
        await using var parts = new DaemonParts(settings, endpoints, inherited);
        var logger = parts.Loggers.CreateLogger("policyd");
        logger.Starting(DaemonVersion.Text, settings.File ?? "built-in defaults", settings.Database);

        if (!CreateStoreForNewcomer(settings, logger) || !TryTakeLock(settings, logger, out var daemonLock))
            return ExitCode.Failed;
        using var held = daemonLock;
        parts.Outcome.ListenToSignals();
        try
        {
            await parts.StartAsync(logger, CancellationToken.None);
        }
        catch (IOException exception)
        {
            // An endpoint cannot be bound.
            logger.CannotGoOn(exception.Message);
            return ExitCode.Failed;
        }

        parts.Notifier?.Notify(ServiceState.Ready);
        await parts.Outcome.Ended;
        parts.Notifier?.Notify(ServiceState.Stopping);
        using var deadline = new CancellationTokenSource(StopTime);
        await parts.StopAsync(logger, deadline.Token);
        logger.Stopped(parts.Counters.Found, parts.Counters.NotFound, parts.Counters.Temporary);
        return parts.Outcome.Code;
    }

    /// <summary>Makes the store, only for a newcomer who starts without a configuration file and has neither store nor snapshot.</summary>
    private static bool CreateStoreForNewcomer(Settings settings, ILogger logger)
    {
        if (settings.File is not null || File.Exists(settings.Database) || File.Exists(settings.Snapshot))
            return true;
        try
        {
            using var store = PolicyStore.Create(settings.Database, Actor.Daemon, TimeProvider.System);
            logger.StoreCreated(settings.Database);
            return true;
        }
        catch (StoreException exception)
        {
            logger.CannotGoOn(exception.Message);
            return false;
        }
    }

    /// <returns>False where another daemon holds the lock. A lock that cannot be made costs information, not mail.</returns>
    private static bool TryTakeLock(Settings settings, ILogger logger, out DaemonLock? taken)
    {
        taken = null;
        try
        {
            taken = DaemonLock.TryTake(settings.StatusFile);
            if (taken is null)
                logger.CannotGoOn($"another policyd holds {settings.StatusFile}.lock; stop it, or give this one its own store.status_file");
            return taken is not null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            logger.StatusNotWritten(settings.StatusFile, exception.Message);
            return true;
        }
    }
}
