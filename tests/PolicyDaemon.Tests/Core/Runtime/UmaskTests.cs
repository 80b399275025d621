using System.Runtime.InteropServices;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Core.Runtime;

/// <summary>The group that administers can read what the daemon says of itself, whatever umask it was started with.</summary>
[Collection(MeasuredAlone.Name)] // a process has one umask
public sealed class UmaskTests : IDisposable
{
    private const int OwnerOnly = 0x3f; // 0077

    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-umask").FullName;
    private readonly int before = Umask(OwnerOnly);

    [Fact]
    public void Lock_and_drafts_have_their_modes()
    {
        var status = Path.Combine(directory, "status");
        var wanted = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        using var held = DaemonLock.TryTake(status);
        Assert.NotNull(held);
        using (var draft = FileDraft.Create(status, wanted))
            draft.Replace();

        Assert.Equal(wanted, File.GetUnixFileMode(DaemonLock.Path(status)));
        Assert.Equal(wanted, File.GetUnixFileMode(status));
        Assert.Equal(SnapshotFile.Mode, wanted);
    }

    public void Dispose()
    {
        _ = Umask(before);
        Directory.Delete(directory, recursive: true);
    }

    [DllImport("libc", EntryPoint = "umask")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Umask(int mask);
}
