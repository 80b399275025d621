using PolicyDaemon.Core.Runtime;
using Xunit;

namespace PolicyDaemon.Tests.Core.Runtime;

public sealed class DaemonLockTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-lock").FullName;

    private string StatusFile => Path.Combine(directory, "status");

    private string LockFile => StatusFile + ".lock";

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

    [Fact]
    public void Whoever_has_the_file_open_to_ask_does_not_stand_in_a_daemons_way()
    {
        File.WriteAllText(LockFile, "");
        // .NET takes a shared flock(2) with it, as anybody may who can read the file.
        using var asking = new FileStream(LockFile, FileMode.Open, FileAccess.Read, FileShare.Read);

        using var held = DaemonLock.TryTake(StatusFile);

        Assert.NotNull(held);
    }

    [Theory]
    [InlineData("a symlink loop")]
    [InlineData("a directory")]
    [InlineData("no directory to lie in")]
    public void A_lock_that_cannot_be_made_is_not_taken_for_another_daemon(string obstacle)
    {
        if (obstacle == "a symlink loop")
            File.CreateSymbolicLink(LockFile, LockFile);
        else if (obstacle == "a directory")
            Directory.CreateDirectory(LockFile);
        var file = obstacle == "no directory to lie in" ? Path.Combine(directory, "none", "status") : StatusFile;

        var problem = Assert.Throws<IOException>(() => DaemonLock.TryTake(file));

        Assert.StartsWith($"{file}.lock: ", problem.Message, StringComparison.Ordinal);
        Assert.NotEqual(true, DaemonLock.IsHeld(file));
    }

    [Fact]
    public void A_planted_link_is_not_followed()
    {
        var victim = Path.Combine(directory, "victim");
        File.CreateSymbolicLink(LockFile, victim);

        Assert.Throws<IOException>(() => DaemonLock.TryTake(StatusFile));

        Assert.False(File.Exists(victim));
    }

    [Fact]
    public void The_group_may_ask_whatever_the_umask_was()
    {
        File.WriteAllText(LockFile, "");
        File.SetUnixFileMode(LockFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        using var held = DaemonLock.TryTake(StatusFile);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(LockFile));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
