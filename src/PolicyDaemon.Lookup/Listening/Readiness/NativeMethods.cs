using System.Runtime.InteropServices;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>epoll(7), eventfd(2) and sched_setattr(2), for which .NET has no methods of its own.</summary>
internal static partial class NativeMethods
{
    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int EpollCreate(int flags);

    /// <param name="socket">Held open during the call, so that its number cannot be another socket's by then.</param>
    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int EpollControl(SafeHandle set, int operation, SafeHandle socket, ref byte epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int EpollWait(SafeHandle set, ref byte events, int capacity, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int EventFd(uint value, int flags);

    /// <summary>syscall(2) for sched_getattr(2), which the C libraries of the systems we run on do not wrap.</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint GetScheduling(nint number, nint thread, out SchedulingAttributes attributes, nint size, nint flags);

    /// <summary>The same for sched_setattr(2).</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint SetScheduling(nint number, nint thread, in SchedulingAttributes attributes, nint flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint Read(SafeHandle descriptor, ref ulong value, nint size);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial nint Write(SafeHandle descriptor, in ulong value, nint size);
}
