using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PolicyDaemon.Core.Runtime;

/// <summary>System calls on files for which .NET has no method, or none that tells why it failed.</summary>
internal static partial class NativeMethods
{
    // fcntl.h and errno.h: the same on linux-x64 and linux-arm64 but for O_NOFOLLOW, which is OpenNoFollow below.
    internal const int ReadOnly = 0;
    internal const int ReadWrite = 2;
    internal const int Create = 0x40; // O_CREAT
    internal const int NonBlocking = 0x800; // O_NONBLOCK: a FIFO is opened at once
    internal const int CloseOnExec = 0x80000; // O_CLOEXEC
    internal const int NoEntry = 2; // ENOENT
    internal const int Interrupted = 4; // EINTR
    internal const int TryAgain = 11; // EAGAIN, EWOULDBLOCK
    internal const int AccessDenied = 13; // EACCES
    internal const int NotADirectory = 20; // ENOTDIR
    internal const int ReadOnlyFileSystem = 30; // EROFS
    internal const int BrokenPipe = 32; // EPIPE
    internal const int MayRead = 4; // R_OK
    internal const int MayWrite = 2; // W_OK
    internal const short ReadLock = 0; // F_RDLCK
    internal const short WriteLock = 1; // F_WRLCK
    internal const short Unlocked = 2; // F_UNLCK
    internal const int AskDescriptorFlags = 1; // F_GETFD
    internal const int DescriptorCloseOnExec = 1; // FD_CLOEXEC
    internal const int AskStatusFlags = 3; // F_GETFL
    internal const int AccessMode = 3; // O_ACCMODE
    internal const short MayBeWritten = 4; // POLLOUT
    internal const int AskLock = 36; // F_OFD_GETLK
    internal const int TakeLock = 37; // F_OFD_SETLK
    internal const int LockExclusiveAtOnce = 2 | 4; // LOCK_EX | LOCK_NB
    internal const uint StatxBasicStats = 0x7ff; // STATX_BASIC_STATS

    /// <summary>O_NOFOLLOW: one of the few values in which the two architectures differ.</summary>
    internal static int NoFollow => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    /// <summary>fcntl(2), struct flock on 64-bit systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct RecordLock
    {
        internal short Type;
        internal short Whence;
        internal long Start;
        internal long Length;
        internal int Process;
    }

    /// <summary>poll.h, struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Polled
    {
        internal int Descriptor;
        internal short Events;
        internal short Happened;
    }

    /// <summary>termios.h, struct winsize.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct WindowSize
    {
        internal ushort Rows;
        internal ushort Columns;
        internal ushort Width;
        internal ushort Height;
    }

    internal const nuint AskWindowSize = 0x5413; // TIOCGWINSZ

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Window(int file, nuint request, ref WindowSize size);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Lock(SafeFileHandle file, int command, ref RecordLock range);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Control(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint Write(int descriptor, ReadOnlySpan<byte> buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Poll(ref Polled wanted, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Statx(int directory, string path, int flags, uint mask, out FileFacts.Statx stat);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Statx(SafeFileHandle file, string path, int flags, uint mask, out FileFacts.Statx stat);

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Link(string existing, string name);

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "statvfs", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int StatVfs(string path, out FileSystemSpace.StatVfs space);

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int AdjustTime(ref KernelClock.Timex state);

    [LibraryImport("libc", EntryPoint = "chroot", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int ChangeRoot(string path);

    [LibraryImport("libc", EntryPoint = "chdir", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int ChangeDirectory(string path);

    [LibraryImport("libc", EntryPoint = "setgroups", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int SetGroups(nuint count, ReadOnlySpan<uint> groups);

    [LibraryImport("libc", EntryPoint = "setgid", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int SetGroup(uint group);

    [LibraryImport("libc", EntryPoint = "setuid", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int SetUser(uint user);

    /// <returns>Null where it cannot be opened; the error is the last P/Invoke error.</returns>
    internal static SafeFileHandle? Open(string path, int flags)
    {
        var descriptor = Open(path, flags | CloseOnExec, 0x1A0); // 0640
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }
}
