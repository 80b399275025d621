using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Discovery;
using PolicyDaemon.Daemon.Fleet;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Daemon.Logging;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Daemon.Systemd;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Probe;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>The composition root: makes every part, starts them in order, ends with an exit code.</summary>
internal static class DaemonHost
{
    private const int ThreadsWithServer = 8;

    /// <summary>Serves until SIGTERM or SIGINT, or until a part cannot go on.</summary>
    /// <exception cref="ConfigurationException">The endpoints, or a file that is named, cannot be used.</exception>
    internal static async Task<DaemonExitCode> RunAsync(Settings settings)
    {
        var endpoints = Endpoints.From(settings);
        if (LookupServer.Refusal is { } reason)
            throw new ConfigurationException(settings.File ?? "built-in defaults", 0, ConfigurationKeys.MaxConnections.FullName, reason);
        // Without its trust anchors discovery could renew no policy; protection would end one domain after the other.
        if (settings.Discovery.Mode != DiscoveryMode.Off)
            ProberComposition.Check(settings.Probe);
        var inherited = InheritedSockets.Take(settings.File ?? "built-in defaults", endpoints);
        using var log = new LogSink(new LogLine(TimeProvider.System, ServiceManager.ReadsStandardOutput), StandardOutput.Write);
        // Whoever waits for a server holds a thread meanwhile, of the prober, the alerts and so on one each; lookups are not to wait with them.
        if (settings.IsOnServer)
            ThreadPool.SetMinThreads(ThreadsWithServer, 1);
        var host = Build(settings, endpoints, inherited, log);
        await using var end = new HostEnd(host, settings.IsOnServer ? HostEnd.WithServer : Timeout.InfiniteTimeSpan);
        var logger = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("policyd");
        logger.Starting(DaemonVersion.Text, settings.File ?? "built-in defaults", settings.Database);

        if (!CreateDefaultStore(settings, logger))
            return DaemonExitCode.Failed;
        var start = await StartLock.TakeAsync(settings.StatusFile, TimeProvider.System, logger);
        if (start.HeldByAnother)
            return DaemonExitCode.Failed;
        using var held = start.Lock;
        SweepDrafts(settings);
        try
        {
            await host.StartAsync();
        }
        catch (IOException exception)
        {
            // An endpoint cannot be bound.
            logger.CannotGoOn(exception.Message);
            return DaemonExitCode.Failed;
        }
        catch (OperationCanceledException) when (end.IsAsked)
        {
            // Stopped while it waited for a server.
        }

        if (!await end.WaitAsync())
            logger.StopsWithoutServer();
        var counters = host.Services.GetRequiredService<LookupCounters>();
        logger.Stopped(counters.Found, counters.NotFound, counters.Temporary);
        return Outcome(host, logger);
    }

    private static DaemonExitCode Outcome(IHost host, ILogger logger)
    {
        foreach (var part in host.Services.GetServices<IHostedService>().OfType<BackgroundService>())
        {
            // A part that ended over a broken assumption stops the host; the process must not look as if it was asked to.
            if (part.ExecuteTask is { IsFaulted: true } task)
            {
                logger.CannotGoOn($"{part.GetType().Name}: {task.Exception.InnerException?.Message}");
                return DaemonExitCode.Failed;
            }
        }

        return host.Services.GetRequiredService<DaemonOutcome>().Code;
    }

    internal static IHost Build(
        Settings settings, IReadOnlyList<MapEndpoint> endpoints, IReadOnlyList<(Socket Socket, MapEndpoint Endpoint)> inherited, LogSink log)
    {
        // No defaults: no files or variables beside the configuration file decide anything.
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        var services = builder.Services;
        HostServices.AddTo(services, log);
        services.AddSingleton(log);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new RunningConfiguration(settings));
        services.AddSingleton<DaemonOutcome>();
        services.AddSingleton<LookupDemand>();
        services.AddSingleton<LookupCounters>();
        services.AddSingleton(provider => new SnapshotLoader(
            new SnapshotLoaderOptions(settings.Database, settings.Snapshot) { Node = settings.FindingNode, Notify = settings.Notify }, settings.Postfix,
            provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<SnapshotLoader>>()));
        services.AddSingleton<ICurrentSnapshot>(provider => provider.GetRequiredService<SnapshotLoader>());
        services.AddSingleton(provider => new LookupService(
            provider.GetRequiredService<ICurrentSnapshot>(), settings.Postfix, provider.GetRequiredService<LookupDemand>(),
            provider.GetRequiredService<LookupCounters>(), provider.GetRequiredService<ILogger<LookupService>>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new LookupServer(
            provider.GetRequiredService<LookupService>(),
            new LookupOptions { Endpoints = endpoints, MaxConnections = settings.MaxConnections },
            provider.GetRequiredService<ILogger<LookupServer>>(), provider.GetRequiredService<TimeProvider>()));

        services.AddSingleton(provider => new ProbeLedger(
            settings.Database, settings.Postfix, provider.GetRequiredService<TimeProvider>(), provider.GetService<ProberLease>()));
        services.AddSingleton<IProbeLedger>(provider => provider.GetRequiredService<ProbeLedger>());
        services.AddSingleton<IAlertLedger>(provider => provider.GetRequiredService<ProbeLedger>());
        services.AddSingleton(provider => new DiscoveredStore(provider.GetRequiredService<ProbeLedger>(), provider.GetRequiredService<TimeProvider>()) { Node = settings.FindingNode });
        services.AddSingleton<DiscoveryService>();
        services.AddSingleton<ProberService>();
        services.AddSingleton<IReadOnlyList<IAlertChannel>>(provider =>
        [
            new CommandChannel(
                provider.GetRequiredService<RunningConfiguration>(), provider.GetRequiredService<ILogger<CommandChannel>>(),
                provider.GetRequiredService<TimeProvider>()),
            new WebhookChannel(provider.GetRequiredService<RunningConfiguration>(), provider.GetRequiredService<TimeProvider>()),
        ]);
        services.AddSingleton<AlertService>();
        services.AddSingleton<StatusWriter>();

        if (settings.IsOnServer)
            AddFleet(services, settings);

        // In this order: first something to answer from, then the listeners; stopped the other way round.
        services.AddHostedService<SnapshotWorker>();
        if (settings.IsOnServer)
            services.AddHostedService(provider => provider.GetRequiredService<NodeService>());
        services.AddHostedService(provider => provider.GetRequiredService<DiscoveryService>());
        services.AddHostedService(provider => new LookupWorker(
            provider.GetRequiredService<LookupServer>(), inherited, provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetRequiredService<DaemonOutcome>(), provider.GetRequiredService<ILogger<LookupWorker>>()));
        services.AddHostedService<LookupUpkeep>();
        services.AddHostedService<ReloadOnHangup>();
        services.AddHostedService<NearMissReporter>();
        services.AddHostedService<EntryEndings>();
        services.AddHostedService(provider => provider.GetRequiredService<StatusWriter>());
        services.AddHostedService(provider => new StatusSocket(
            provider.GetRequiredService<RunningConfiguration>(), () => provider.GetRequiredService<StatusWriter>().Latest,
            provider.GetRequiredService<StatusWriter>().History, provider.GetRequiredService<ILogger<StatusSocket>>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService(provider => provider.GetRequiredService<ProberService>());
        services.AddHostedService(provider => provider.GetRequiredService<AlertService>());
        ServiceManager.AddTo(services);
        return builder.Build();
    }

    /// <summary>What the daemons over one store on a server take besides: of them one probes and alerts.</summary>
    private static void AddFleet(IServiceCollection services, Settings settings)
    {
        var instance = FleetInstance.New();
        services.AddSingleton(provider => new ProberLease(settings.Vantage, settings.Node, instance, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => AddressClaims.For(settings.Database, provider.GetRequiredService<TimeProvider>())!);
        services.AddSingleton<ProbeRequests>();
        services.AddSingleton(provider => new FleetMember(
            settings.Database, settings.Node, settings.Vantage, instance, DaemonVersion.Text, provider.GetRequiredService<ProberLease>(),
            provider.GetRequiredService<TimeProvider>(), Random.Shared));
        services.AddSingleton<UnattendedFleet>();
        services.AddSingleton<NodeService>();
    }

    /// <summary>Makes the store where the daemon is started without a configuration file and there is neither a store nor a snapshot.</summary>
    private static bool CreateDefaultStore(Settings settings, ILogger logger)
    {
        if (settings.File is not null || StorePlace.Exists(settings.Database) || File.Exists(settings.Snapshot))
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

    /// <summary>Removes the temporary files of a predecessor that was killed.</summary>
    private static void SweepDrafts(Settings settings)
    {
        StorePlace.SweepDrafts(settings.Database);
        foreach (var directory in new[] { settings.Snapshot, settings.StatusFile }.Select(Path.GetDirectoryName).Distinct())
            FileDraft.Sweep(directory!);
    }
}
