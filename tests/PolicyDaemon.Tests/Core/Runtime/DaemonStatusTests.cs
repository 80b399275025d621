using PolicyDaemon.Core.Runtime;
using Xunit;

namespace PolicyDaemon.Tests.Core.Runtime;

public sealed class DaemonStatusTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-status").FullName;

    private string StatusFile => Path.Combine(directory, "status");

    [Fact]
    public void A_status_survives_the_file()
    {
        var now = new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
        var status = new DaemonStatus(
            "1.0", 7, now, now.AddMinutes(1), ["socketmap inet:127.0.0.1:8461"],
            new SnapshotStatus("store", "id", 3, "ab", 2, now),
            new LookupCounts(1, 2, 3, 4, 5, 6, 7),
            [new FindingStatus("near-miss", "[mx.example]:587", "detail", "remedy", now)]);

        DaemonStatusFile.Write(StatusFile, status);
        var read = DaemonStatusFile.TryRead(StatusFile);

        Assert.NotNull(read);
        Assert.Equivalent(status, read, strict: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    public void A_damaged_status_is_none(string content)
    {
        File.WriteAllText(StatusFile, content);

        Assert.Null(DaemonStatusFile.TryRead(StatusFile));
    }

    [Fact]
    public void A_missing_status_is_none()
    {
        Assert.Null(DaemonStatusFile.TryRead(StatusFile));
    }

    [Fact]
    public void One_daemon_holds_the_lock_until_it_ends()
    {
        Assert.False(DaemonLock.IsHeld(StatusFile));
        using (var held = DaemonLock.TryTake(StatusFile))
        {
            Assert.NotNull(held);
            Assert.True(DaemonLock.IsHeld(StatusFile));
            Assert.Null(DaemonLock.TryTake(StatusFile));
        }

        Assert.False(DaemonLock.IsHeld(StatusFile));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
