using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Daemon.Systemd;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>Every part of the daemon, made from the settings, started in order and stopped the other way round.</summary>
/// <remarks>
/// By hand: the framework's container makes generic types and calls constructors by reflection, which natively compiled was a third of
/// the start and two megabytes of what stayed in memory afterwards.
/// </remarks>
internal sealed class DaemonParts : IAsyncDisposable
{
    private readonly SnapshotLoader loader;
    private readonly LookupServer server;
    private readonly ProbeLedger ledger;
    private readonly List<IHostedService> services;

    internal DaemonParts(
        Settings settings, IReadOnlyList<MapEndpoint> endpoints, IReadOnlyList<(Socket Socket, MapEndpoint Endpoint)> inherited)
    {
        var time = TimeProvider.System;
        Loggers = CreateLoggers(time);
        var configuration = new RunningConfiguration(settings);
        var nearMisses = new NearMissLog();
        var pinned = new PinnedLookups();

        loader = new SnapshotLoader(
            new SnapshotLoaderOptions(settings.Database, settings.Snapshot), settings.Postfix, time, Loggers.CreateLogger<SnapshotLoader>());
        var lookups = new LookupService(loader, settings.Postfix, nearMisses, Counters, Loggers.CreateLogger<LookupService>(), time, pinned);
        server = new LookupServer(
            lookups, new LookupOptions { Endpoints = endpoints, MaxConnections = settings.MaxConnections },
            Loggers.CreateLogger<LookupServer>(), time);
        ledger = new ProbeLedger(settings.Database, settings.Postfix, time);
        Prober = new ProberService(configuration, loader, pinned, ledger, Loggers.CreateLogger<ProberService>(), time);
        var alerts = new AlertService(
            configuration, loader, ledger,
            [new CommandChannel(configuration, Loggers.CreateLogger<CommandChannel>(), time), new WebhookChannel(configuration, time)],
            Loggers.CreateLogger<AlertService>(), time);

        // In this order: first something to answer from, then the listeners.
        services =
        [
            new SnapshotWorker(loader),
            new LookupWorker(server, inherited, Outcome, Loggers.CreateLogger<LookupWorker>()),
            new ReloadOnHangup(configuration, server, lookups, loader, Loggers.CreateLogger<ReloadOnHangup>(), Prober, ledger),
            new NearMissReporter(nearMisses, loader, configuration, Loggers.CreateLogger<NearMissReporter>(), time),
            new StatusWriter(configuration, loader, server, Counters, Loggers.CreateLogger<StatusWriter>(), time, Prober, alerts),
            Prober,
            alerts,
        ];
        if (Notifier is not null)
            services.Add(new Watchdog(Notifier, time));
    }

    internal ILoggerFactory Loggers { get; }

    internal DaemonOutcome Outcome { get; } = new();

    internal LookupCounters Counters { get; } = new();

    internal ProberService Prober { get; }

    /// <summary>Null where no service manager waits to hear from us.</summary>
    internal ISystemdNotifier? Notifier { get; } = ServiceManager.IsListening ? new SystemdNotifier() : null;

    /// <exception cref="IOException">An endpoint cannot be bound.</exception>
    internal async Task StartAsync(ILogger logger, CancellationToken cancellation)
    {
        foreach (var service in services)
        {
            await service.StartAsync(cancellation);
            if (service is BackgroundService { ExecuteTask: { } running })
                _ = WatchAsync(service.GetType().Name, running, logger);
        }
    }

    internal async Task StopAsync(ILogger logger, CancellationToken cancellation)
    {
        foreach (var service in Enumerable.Reverse(services))
        {
            var stopping = service.StopAsync(cancellation);
            await stopping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping is { IsFaulted: true, Exception: { } fault })
                logger.StoppedBadly(service.GetType().Name, fault.GetBaseException().Message);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in Enumerable.Reverse(services).OfType<IDisposable>())
            service.Dispose();
        ledger.Dispose();
        await server.DisposeAsync();
        loader.Dispose();
        Outcome.Dispose();
        // The last: what was logged is written out by this.
        Loggers.Dispose();
    }

    /// <summary>A part that ended over a broken assumption ends the daemon, which must not look as if it was asked to.</summary>
    private async Task WatchAsync(string part, Task running, ILogger logger)
    {
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (running is not { IsFaulted: true, Exception: { } fault })
            return;
        logger.PartBroke(fault.GetBaseException(), part);
        Outcome.Fail();
    }

    private static LoggerFactory CreateLoggers(TimeProvider time) => new(
        [new ConsoleLoggerProvider(new ConsoleOptions(), [new LogLineFormatter(time, ServiceManager.ReadsStandardOutput)])],
        new LoggerFilterOptions { MinLevel = LogLevel.Information });
}
