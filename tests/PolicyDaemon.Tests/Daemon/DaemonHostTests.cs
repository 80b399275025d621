using System.Text;
using Microsoft.Extensions.DependencyInjection;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Store;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

public sealed class DaemonHostTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-host").FullName;

    [Fact]
    public async Task All_parts_start_together_and_leave_nothing_behind()
    {
        var settings = SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes(
            $"[lookup]\nsocketmap = inet:127.0.0.1:0\ntcp_table =\n[store]\ndatabase = {directory}/policy.db\n[probe]\nresolver = 127.0.0.1:9\n"));
        PolicyStore.Create(settings.Database, Actor.Daemon, TimeProvider.System).Dispose();
        var host = DaemonHost.Build(settings, Endpoints.From(settings), []);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var prober = host.Services.GetRequiredService<ProberService>();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        while (prober.Status.State != "on" || DaemonStatusFile.TryRead(settings.StatusFile) is not { Prober.State: "on" })
            await Task.Delay(20, deadline.Token);

        await host.StopAsync(deadline.Token);
        host.Dispose();

        Assert.True(prober.ExecuteTask!.IsCompletedSuccessfully);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
