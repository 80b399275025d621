using System.ComponentModel;
using System.Runtime.InteropServices;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>epoll(7), eventfd(2) and sched_setattr(2), for which .NET has no methods of its own, and the socket calls that each lookup makes.</summary>
/// <remarks>
/// The methods of <see cref="System.Net.Sockets.Socket"/> cost a tenth of a whole lookup beside what the kernel does: they guard a handle that
/// threads share, and look after blocking, statistics and cancellation. Descriptors of connections belong to one thread here.
/// </remarks>
internal static partial class NativeMethods
{
    private const int CloseOnExec = 0x80000; // EPOLL_CLOEXEC, EFD_CLOEXEC, SOCK_CLOEXEC
    private const int NonBlocking = 0x800; // EFD_NONBLOCK, SOCK_NONBLOCK
    private const int NoSignal = 0x4000; // MSG_NOSIGNAL

    internal static int EpollCreate() => EpollCreate(CloseOnExec);

    /// <summary>An eventfd(2) that never blocks.</summary>
    internal static int EventFd() => EventFd(0, CloseOnExec | NonBlocking);

    /// <returns>The descriptor of a connection that never blocks; -1 with the last error where there is none.</returns>
    internal static int Accept(SafeHandle listener) => Accept(listener, 0, 0, CloseOnExec | NonBlocking);

    /// <returns>How many octets came, 0 at the end; -1 where nothing is there yet.</returns>
    /// <exception cref="IOException">The connection is gone.</exception>
    internal static int Receive(int descriptor, Span<byte> buffer) =>
        Transferred((int)Receive(descriptor, ref MemoryMarshal.GetReference(buffer), buffer.Length, 0), "recv");

    /// <returns>How many octets the kernel took; -1 where the peer has to take some first.</returns>
    /// <exception cref="IOException">The connection is gone.</exception>
    internal static int Send(int descriptor, ReadOnlySpan<byte> octets) =>
        Transferred((int)Send(descriptor, in MemoryMarshal.GetReference(octets), octets.Length, NoSignal), "send");

    /// <summary>The last error, as an exception that names the call.</summary>
    internal static IOException Failed(string call)
    {
        var inner = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"{call}: {inner.Message}", inner);
    }

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int EpollControl(SafeHandle set, int operation, int descriptor, ref byte epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int EpollWait(SafeHandle set, ref byte events, int capacity, int milliseconds);

    /// <summary>syscall(2) for sched_getattr(2), which the C libraries of the systems we run on do not wrap.</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint GetScheduling(nint number, nint thread, out SchedulingAttributes attributes, nint size, nint flags);

    /// <summary>Calls sched_setattr(2) through syscall(2), as the C library has no function for it.</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint SetScheduling(nint number, nint thread, in SchedulingAttributes attributes, nint flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint Read(SafeHandle descriptor, ref ulong value, nint size);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint Write(SafeHandle descriptor, in ulong value, nint size);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int EventFd(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Accept(SafeHandle listener, nint address, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Receive(int descriptor, ref byte buffer, nint size, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Send(int descriptor, in byte octets, nint size, int flags);

    private static int Transferred(int count, string call) =>
        count >= 0 ? count : (SystemError)Marshal.GetLastPInvokeError() == SystemError.TryAgain ? -1 : throw Failed(call);
}

/// <summary>Errors of system calls, with the numbers of asm-generic/errno.h. See errno(3).</summary>
internal enum SystemError
{
    None = 0,
    Interrupted = 4, // EINTR
    BadDescriptor = 9, // EBADF
    TryAgain = 11, // EAGAIN
    NoMemory = 12, // ENOMEM
    InvalidArgument = 22, // EINVAL
    SystemDescriptors = 23, // ENFILE
    ProcessDescriptors = 24, // EMFILE
    NotSocket = 88, // ENOTSOCK
    NotSupported = 95, // EOPNOTSUPP
    NetworkDown = 100, // ENETDOWN
    Aborted = 103, // ECONNABORTED
    NoBuffers = 105, // ENOBUFS
}
