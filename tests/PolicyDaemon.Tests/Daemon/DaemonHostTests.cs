using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon;
using PolicyDaemon.Daemon.Logging;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Clients;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Store;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

public sealed class DaemonHostTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-host").FullName;

    [Fact]
    public async Task All_parts_start_together_and_leave_nothing_behind()
    {
        var settings = Settings("resolver = 127.0.0.1:9");
        using var log = Log(_ => { });
        var host = DaemonHost.Build(settings, Endpoints.From(settings), [], log);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var prober = host.Services.GetRequiredService<ProberService>();
        await Until.TrueAsync(() => prober.Status.State == "on" && DaemonStatusFile.TryRead(settings.StatusFile) is { Prober.State: "on" });

        await host.StopAsync(TestContext.Current.CancellationToken).WaitAsync(Until.Deadline, TestContext.Current.CancellationToken);
        host.Dispose();

        Assert.True(prober.ExecuteTask!.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_log_that_nobody_reads_stops_no_lookup_no_reload_and_no_stop()
    {
        var settings = Settings("enabled = no");
        using var reading = new ManualResetEventSlim();
        using var log = Log(_ => reading.Wait());
        try
        {
            using var host = DaemonHost.Build(settings, Endpoints.From(settings), [], log);
            await host.StartAsync(TestContext.Current.CancellationToken);
            var server = host.Services.GetRequiredService<LookupServer>();
            Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, server.Listening[0], out var endpoint, out _));
            // Many lines from every side: reloads that are refused, bad requests, and what loops say.
            var logger = host.Services.GetRequiredService<ILogger<DaemonHostTests>>();
            for (var line = 0; line < 30_000; line++)
                logger.CannotGoOn("a line that nobody reads");
            using (var reload = ActivatorUtilities.CreateInstance<ReloadOnHangup>(host.Services))
                await reload.ReloadAsync().WaitAsync(Until.Deadline, TestContext.Current.CancellationToken);
            var malformed = await SocketmapClient.AskAsync(
                endpoint, "tlspolicy", new string('x', 20_000), Until.Deadline, TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.NotEqual(QueryStatus.TimedOut, malformed.Status);
            var answer = await SocketmapClient.AskAsync(
                endpoint, "tlspolicy", "a.example", Until.Deadline, TimeProvider.System, TestContext.Current.CancellationToken);
            Assert.Equal(QueryStatus.Answered, answer.Status);
            Assert.NotEqual(0, log.Dropped);

            await host.StopAsync(TestContext.Current.CancellationToken).WaitAsync(Until.Deadline, TestContext.Current.CancellationToken);
        }
        finally
        {
            reading.Set();
        }
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static LogSink Log(LogSink.LineWriter write) => new(new LogLine(TimeProvider.System, forJournal: true), write);

    private Settings Settings(string probe)
    {
        var file = Path.Combine(directory, "policydaemon.conf");
        File.WriteAllText(file, $"[lookup]\nsocketmap = inet:127.0.0.1:0\ntcp_table =\n[store]\ndatabase = {directory}/policy.db\n[probe]\n{probe}\n");
        var settings = SettingsReader.Load(file);
        PolicyStore.Create(settings.Database, Actor.Daemon, TimeProvider.System).Dispose();
        return settings;
    }
}
