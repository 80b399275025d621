using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
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

    private readonly IDisposable held;

    private DaemonLock(IDisposable held) => this.held = held;

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

    /// <summary>Takes the lock where its file cannot be made, as on a full disk without a free inode: a socket in the kernel's own namespace.</summary>
    /// <returns>Null where another daemon holds it, or where that cannot be had either.</returns>
    public static DaemonLock? TryTakeWithoutFile(string statusFile)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(WithoutFile(statusFile));
            socket.Listen(1);
            return new DaemonLock(socket);
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>True where a daemon holds the lock; null where that cannot be told, such as for want of rights.</summary>
    public static bool? IsHeld(string statusFile)
    {
        using var file = NativeMethods.Open(Path(statusFile), NativeMethods.ReadOnly | NativeMethods.NoFollow | NativeMethods.NonBlocking);
        if (file is not null)
            return IsHeld(file);
        var error = Marshal.GetLastPInvokeError();
        if (IsHeldWithoutFile(statusFile))
            return true;
        // Where nobody can make the file, a daemon may run without it.
        return error is NativeMethods.NoEntry or NativeMethods.NotADirectory && !IsOnReadOnly(statusFile) ? false : null;
    }

    public void Dispose() => held.Dispose();

    /// <summary>The file that is locked.</summary>
    public static string Path(string statusFile) => statusFile + ".lock";

    // unix(7): an abstract name, no longer than 107 octets whatever the path.
    private static UnixDomainSocketEndPoint WithoutFile(string statusFile) => new(
        "\0policyd-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(System.IO.Path.GetFullPath(statusFile)))));

    private static bool IsHeldWithoutFile(string statusFile)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(WithoutFile(statusFile));
            return true;
        }
        catch (SocketException fault)
        {
            // A queue of the asked that is full is a daemon, too.
            return fault.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress;
        }
    }

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
