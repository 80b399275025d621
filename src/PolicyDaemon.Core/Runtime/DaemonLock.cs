namespace PolicyDaemon.Core.Runtime;

/// <summary>An advisory lock that the daemon holds while it runs: one daemon per status file, and an answer to "does it run?".</summary>
/// <remarks>The kernel drops the lock with the process, also after <c>kill -9</c>, so it cannot go stale as a PID file does.</remarks>
public sealed class DaemonLock : IDisposable
{
    private readonly FileStream stream;

    private DaemonLock(FileStream stream) => this.stream = stream;

    /// <summary>Takes the lock.</summary>
    /// <returns>Null where another daemon holds it.</returns>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    /// <exception cref="DirectoryNotFoundException">The status file's directory does not exist.</exception>
    public static DaemonLock? TryTake(string statusFile)
    {
        try
        {
            return new DaemonLock(new FileStream(Path(statusFile), new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
            }));
        }
        catch (IOException exception) when (exception is not (DirectoryNotFoundException or FileNotFoundException))
        {
            return null;
        }
    }

    /// <summary>True where a daemon holds the lock; null where that cannot be told for want of rights.</summary>
    public static bool? IsHeld(string statusFile)
    {
        try
        {
            // A shared lock: two people who ask do not see each other.
            using var probe = new FileStream(Path(statusFile), FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
        catch (IOException)
        {
            return true;
        }
    }

    public void Dispose() => stream.Dispose();

    private static string Path(string statusFile) => statusFile + ".lock";
}
