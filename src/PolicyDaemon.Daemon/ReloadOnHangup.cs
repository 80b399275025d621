using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Daemon.Discovery;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Probe;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>SIGHUP: reads the configuration again and takes it over whole or not at all, without dropping a connection.</summary>
internal sealed class ReloadOnHangup(
    RunningConfiguration configuration, LookupServer server, LookupService service, SnapshotLoader loader, ILogger<ReloadOnHangup> logger,
    ProberService? prober = null, ProbeLedger? ledger = null, DiscoveryService? discovery = null)
    : IHostedService, IDisposable
{
    private readonly SemaphoreSlim oneAtATime = new(1);
    private PosixSignalRegistration? registration;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        registration = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true; // the default is to end the process
            _ = ReloadAsync();
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        registration?.Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        registration?.Dispose();
        oneAtATime.Dispose();
    }

    internal async Task ReloadAsync()
    {
        await oneAtATime.WaitAsync();
        try
        {
            var old = configuration.Settings;
            // What is fixed at the start stays what it is, also where the file now says otherwise.
            var read = SettingsReader.Load(old.File);
            var next = read with
            {
                Database = old.Database, Snapshot = old.Snapshot, StatusFile = old.StatusFile, StatusSocket = old.StatusSocket, MaxConnections = old.MaxConnections,
                Node = old.Node, Vantage = old.Vantage, Notify = old.Notify,
            };
            // Before anything changes: a file that it names may be unusable.
            ProberComposition.Check(next.Probe);
            await server.ApplyAsync(Endpoints.From(next));
            await server.RestoreAsync();
            configuration.Settings = next;
            service.Postfix = next.Postfix;
            loader.Use(next.Postfix);
            ledger?.Use(next.Postfix);
            prober?.Apply();
            if (discovery is not null)
                await discovery.ApplyAsync();
            WarnOfFixed(read, old);
            logger.Reloaded(next.File ?? "built-in defaults");
        }
        catch (ConfigurationException exception)
        {
            foreach (var problem in exception.Problems)
                logger.ReloadRefused(problem.ToString());
        }
        catch (IOException exception)
        {
            // A new endpoint cannot be bound.
            logger.ReloadRefused(exception.Message);
        }
#pragma warning disable CA1031 // nobody awaits a reload: what it met must not go unsaid, and must not end the daemon
        catch (Exception exception)
        {
            logger.ReloadBroke(exception);
        }
#pragma warning restore CA1031
        finally
        {
            oneAtATime.Release();
        }
    }

    private void WarnOfFixed(Settings read, Settings old)
    {
        if (read.Database != old.Database)
            logger.NeedsRestart((read.IsOnServer, old.IsOnServer) switch
            {
                (false, false) => ConfigurationKeys.Database.FullName,
                (true, true) => ConfigurationKeys.PostgreSql.FullName,
                _ => ConfigurationKeys.StoreEngine.FullName,
            });
        if (read.Node != old.Node)
            logger.NeedsRestart(ConfigurationKeys.Node.FullName);
        if (read.Vantage != old.Vantage)
            logger.NeedsRestart(ConfigurationKeys.Vantage.FullName);
        if (read.Notify != old.Notify)
            logger.NeedsRestart(ConfigurationKeys.Notify.FullName);
        if (read.Snapshot != old.Snapshot)
            logger.NeedsRestart(ConfigurationKeys.Snapshot.FullName);
        if (read.StatusFile != old.StatusFile)
            logger.NeedsRestart(ConfigurationKeys.StatusFile.FullName);
        if (read.StatusSocket != old.StatusSocket)
            logger.NeedsRestart(ConfigurationKeys.StatusSocket.FullName);
        if (read.MaxConnections != old.MaxConnections)
            logger.NeedsRestart(ConfigurationKeys.MaxConnections.FullName);
    }
}
