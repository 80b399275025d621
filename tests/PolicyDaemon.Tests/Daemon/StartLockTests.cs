using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

public sealed class StartLockTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-start").FullName;
    private readonly FakeTimeProvider time = new();
    private readonly CollectingLogger logger = new();

    private string StatusFile => Path.Combine(directory, "status");

    [Fact]
    public async Task A_lock_that_cannot_be_made_refuses_no_start()
    {
        File.CreateSymbolicLink(StatusFile + ".lock", StatusFile + ".lock");

        var start = await StartLock.TakeAsync(StatusFile, time, logger);

        Assert.False(start.HeldByAnother);
        // It is seen all the same, and no second one takes its place.
        Assert.True(DaemonLock.IsHeld(StatusFile));
        Assert.Null(DaemonLock.TryTakeWithoutFile(StatusFile));
        start.Lock!.Dispose();
        Assert.NotEqual(true, DaemonLock.IsHeld(StatusFile));
        var line = Assert.Single(logger.Lines);
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("symbolic links", line.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_predecessor_about_to_end_is_waited_for()
    {
        var predecessor = DaemonLock.TryTake(StatusFile);
        var taking = StartLock.TakeAsync(StatusFile, time, logger);
        predecessor!.Dispose();
        time.Advance(StartLock.Patience);

        using var held = (await taking).Lock;

        Assert.NotNull(held);
        Assert.Empty(logger.Lines);
    }

    [Fact]
    public async Task Another_daemon_refuses_the_start_and_is_named_so()
    {
        using var another = DaemonLock.TryTake(StatusFile);
        var taking = StartLock.TakeAsync(StatusFile, time, logger);
        time.Advance(StartLock.Patience);

        Assert.True((await taking).HeldByAnother);
        Assert.Contains($"another policyd holds {StatusFile}.lock", Assert.Single(logger.Lines).Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
