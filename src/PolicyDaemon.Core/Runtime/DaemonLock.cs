using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PolicyDaemon.Core.Runtime;

/// <summary>An advisory lock that the daemon holds while it runs: one daemon per status file, and an answer to "does it run?".</summary>
/// <remarks>
/// The kernel drops the lock with the process, also after <c>kill -9</c>, so it cannot go stale as a PID file does. It is a lock
/// of the open file description (fcntl(2), F_OFD_SETLK), because such a lock can be asked about without being taken: whoever
/// asks can never be what stands in a daemon's way.
/// </remarks>
public sealed class DaemonLock : IDisposable
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private readonly SafeFileHandle file;

    private DaemonLock(SafeFileHandle file) => this.file = file;

    /// <summary>Takes the lock.</summary>
    /// <returns>Null where another daemon holds it, and for no other reason.</returns>
    /// <exception cref="IOException">The lock cannot be made; nothing is known of another daemon.</exception>
    public static DaemonLock? TryTake(string statusFile)
    {
        var path = Path(statusFile);
        var file = NativeMethods.Open(path, NativeMethods.ReadWrite | NativeMethods.Create | NativeMethods.NoFollow | NativeMethods.NonBlocking);
        if (file is null && Marshal.GetLastPInvokeError() == NativeMethods.ReadOnlyFileSystem)
            return TakeForReading(path);
        if (file is null)
            throw Failure(path);
        if (TryLock(file, NativeMethods.WriteLock, path) is not { } taken)
            return null;
        ShowToGroup(file);
        return taken;
    }

    /// <summary>On a read-only file system a file that an earlier run left can still be locked for reading, which tells as much.</summary>
    private static DaemonLock? TakeForReading(string path)
    {
        var file = NativeMethods.Open(path, NativeMethods.ReadOnly | NativeMethods.NoFollow | NativeMethods.NonBlocking)
            ?? throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(NativeMethods.ReadOnlyFileSystem)}");
        if (IsHeld(file) != true)
            return TryLock(file, NativeMethods.ReadLock, path);
        file.Dispose();
        return null;
    }

    /// <returns>Null where another daemon holds it; then the file is closed.</returns>
    private static DaemonLock? TryLock(SafeFileHandle file, short type, string path)
    {
        var range = new NativeMethods.RecordLock { Type = type };
        if (NativeMethods.Lock(file, NativeMethods.TakeLock, ref range) == 0)
            return new DaemonLock(file);
        using (file)
        {
            return Marshal.GetLastPInvokeError() is NativeMethods.TryAgain or NativeMethods.AccessDenied ? null : throw Failure(path);
        }
    }

    /// <summary>True where a daemon holds the lock; null where that cannot be told, such as for want of rights.</summary>
    public static bool? IsHeld(string statusFile)
    {
        using var file = NativeMethods.Open(Path(statusFile), NativeMethods.ReadOnly | NativeMethods.NoFollow | NativeMethods.NonBlocking);
        if (file is not null)
            return IsHeld(file);
        // Where nobody can make the file, a daemon runs without it.
        return Marshal.GetLastPInvokeError() is NativeMethods.NoEntry or NativeMethods.NotADirectory && !IsOnReadOnly(statusFile) ? false : null;
    }

    public void Dispose() => file.Dispose();

    /// <summary>The file that is locked.</summary>
    public static string Path(string statusFile) => statusFile + ".lock";

    private static bool? IsHeld(SafeFileHandle file)
    {
        var range = new NativeMethods.RecordLock { Type = NativeMethods.WriteLock };
        return NativeMethods.Lock(file, NativeMethods.AskLock, ref range) == 0 ? range.Type != NativeMethods.Unlocked : null;
    }

    private static bool IsOnReadOnly(string path) =>
        FileRefusals.OfWriting(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!) == FileRefusal.ReadOnlyFileSystem;

    private static IOException Failure(string path) => new($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");

    /// <summary>The umask may have taken the group's right to ask away.</summary>
    private static void ShowToGroup(SafeFileHandle file)
    {
        try
        {
            File.SetUnixFileMode(file, Mode);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another user's file: its owner decides who may ask.
        }
    }
}
