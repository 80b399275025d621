using System.Runtime.InteropServices;

namespace PolicyDaemon.Store;

/// <summary>System calls for which .NET has no method: opening a directory, to flush it.</summary>
internal static partial class NativeMethods
{
    internal const int ReadOnly = 0;
    internal const int CloseOnExec = 0x80000; // O_CLOEXEC on linux-x64 and linux-arm64

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Fsync(int descriptor);
}
