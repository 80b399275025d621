using System.Runtime.InteropServices;

namespace PolicyDaemon.Store.Files;

/// <summary>System calls for which .NET has no method: the inode of a file, and what
/// may be done with it without opening it.</summary>
internal static partial class NativeMethods
{
    internal const int CurrentDirectory = -100; // AT_FDCWD
    internal const int MayRead = 4; // R_OK
    internal const int MayWrite = 2; // W_OK
    internal const int ReadOnlyFileSystem = 30; // EROFS
    internal const int NoEntry = 2; // ENOENT
    internal const int NotADirectory = 20; // ENOTDIR
    internal const int AccessDenied = 13; // EACCES
    internal const uint StatxBasicStats = 0x7ff; // STATX_BASIC_STATS

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int Statx(int directory, string path, int flags, uint mask, out FileSignature.StatxBuffer stat);
}
