using System.Text;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Daemon;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

public sealed class ReloadTests
{
    [Fact]
    public async Task Whatever_a_reload_meets_is_said_and_ends_nothing()
    {
        var logger = new Collecting();
        // Without a server to apply it to: what no one foresaw.
        using var reload = new ReloadOnHangup(new RunningConfiguration(SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes("[lookup]\n"))), null!, null!, null!, logger);

        await reload.ReloadAsync();

        Assert.Equal(LogLevel.Error, Assert.Single(logger.Lines).Level);
    }

    private sealed class Collecting : CollectingLogger, ILogger<ReloadOnHangup>;
}
