using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PolicyDaemon.Core.Runtime;

/// <summary>What kind of thing a path names; .NET tells files, directories and links apart, but not the rest.</summary>
public enum FileKind
{
    Regular,
    Directory,
    SymbolicLink,
    CharacterDevice,
    BlockDevice,
    Fifo,
    Socket,
}

/// <summary>What the system knows of a file without reading it (statx(2)).</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Owner">The user id of its owner.</param>
/// <param name="Links">How many names it has.</param>
public readonly record struct FileFacts(FileKind Kind, uint Owner, uint Links)
{
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const int TypeMask = 0xF000; // S_IFMT

    /// <returns>Null where the path names nothing that can be seen.</returns>
    public static FileFacts? Of(string path, bool followLink = false) =>
        NativeMethods.Statx(CurrentDirectory, path, followLink ? 0 : NoFollow, NativeMethods.StatxBasicStats, out var stat) == 0 ? From(stat) : null;

    internal static FileFacts? Of(SafeFileHandle file) =>
        NativeMethods.Statx(file, "", EmptyPath, NativeMethods.StatxBasicStats, out var stat) == 0 ? From(stat) : null;

    private static FileFacts From(Statx stat) => new(
        (stat.Mode & TypeMask) switch
        {
            0x4000 => FileKind.Directory, // S_IFDIR
            0xA000 => FileKind.SymbolicLink, // S_IFLNK
            0x2000 => FileKind.CharacterDevice, // S_IFCHR
            0x6000 => FileKind.BlockDevice, // S_IFBLK
            0x1000 => FileKind.Fifo, // S_IFIFO
            0xC000 => FileKind.Socket, // S_IFSOCK
            _ => FileKind.Regular,
        },
        stat.Owner, stat.Links);

    /// <summary>linux/stat.h, struct statx: the same on every architecture, unlike struct stat.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Statx
    {
        [FieldOffset(16)]
        internal uint Links;

        [FieldOffset(20)]
        internal uint Owner;

        [FieldOffset(28)]
        internal ushort Mode;
    }
}
