using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Discovery;
using PolicyDaemon.Daemon.Logging;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>Gives the framework's container, as closed types, what it would make of open generic ones: loggers and the host's options.</summary>
/// <remarks>A type that the container closes itself, such as <c>Logger&lt;T&gt;</c>, is not in the native program; its type loader puts it together
/// at run time, with tables of its own that stay. That was a quarter of the processor time of a start. What is missing here works all the same.</remarks>
internal static class HostServices
{
    internal static void AddTo(IServiceCollection services, LogSink log)
    {
        var filter = new LoggerFilterOptions { MinLevel = LogLevel.Information };
        filter.Rules.Add(new LoggerFilterRule(null, "Microsoft", LogLevel.Warning, null));
        services.AddSingleton<ILoggerFactory>(new LoggerFactory([log], filter));
        services.AddSingleton(Options.Create(new HostOptions()));
        services.AddSingleton(Options.Create(new ConsoleLifetimeOptions()));
        // None of our options is validated by the host. What would be is the framework's metrics, which begin like that, and which nobody listens to.
        services.RemoveAll<IStartupValidator>();

        AddLogger<ApplicationLifetime>(services);
        AddLogger<SnapshotLoader>(services);
        AddLogger<LookupService>(services);
        AddLogger<LookupServer>(services);
        AddLogger<LookupWorker>(services);
        AddLogger<CommandChannel>(services);
        AddLogger<AlertService>(services);
        AddLogger<DiscoveryService>(services);
        AddLogger<EntryEndings>(services);
        AddLogger<NearMissReporter>(services);
        AddLogger<ProberService>(services);
        AddLogger<ReloadOnHangup>(services);
        AddLogger<StatusSocket>(services);
        AddLogger<StatusWriter>(services);
    }

    private static void AddLogger<T>(IServiceCollection services) =>
        services.AddSingleton<ILogger<T>>(provider => new Logger<T>(provider.GetRequiredService<ILoggerFactory>()));
}
