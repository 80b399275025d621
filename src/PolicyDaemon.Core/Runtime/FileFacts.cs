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
/// <param name="Kind">The kind of the file.</param>
/// <param name="Owner">The user id of its owner.</param>
/// <param name="Links">The number of hard links.</param>
public readonly record struct FileFacts(FileKind Kind, uint Owner, uint Links)
{
    /// <summary>The group id of the file.</summary>
    public uint Group { get; init; }

    /// <summary>The rights of owner, group and others; access control lists (acl(5)) are not among them.</summary>
    public UnixFileMode Mode { get; init; }

    internal const int CurrentDirectory = -100; // AT_FDCWD
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    private const int TypeMask = 0xF000; // S_IFMT
    private const int ModeMask = 0xFFF; // 07777

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
        stat.Owner, stat.Links)
    {
        Group = stat.Group,
        Mode = (UnixFileMode)(stat.Mode & ModeMask),
    };

    /// <summary>linux/stat.h, struct statx: the same on every architecture, unlike struct stat.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Statx
    {
        [FieldOffset(16)]
        internal uint Links;

        [FieldOffset(20)]
        internal uint Owner;

        [FieldOffset(24)]
        internal uint Group;

        [FieldOffset(28)]
        internal ushort Mode;

        [FieldOffset(32)]
        internal ulong Inode;

        [FieldOffset(40)]
        internal ulong Size;

        [FieldOffset(112)]
        internal long ModifiedSeconds;

        [FieldOffset(120)]
        internal uint ModifiedNanoseconds;

        [FieldOffset(136)]
        internal uint DeviceMajor;

        [FieldOffset(140)]
        internal uint DeviceMinor;
    }
}

/// <summary>Which file a path names, and in which state: a replaced database is another inode, whatever an open handle says.</summary>
public sealed record FileSignature(ulong Device, ulong Inode, ulong Size, long Modified, uint ModifiedNanoseconds)
{
    /// <summary>The file that a path names, behind a link the file it points to; null where the path names nothing that can be seen.</summary>
    public static FileSignature? Of(string path) =>
        NativeMethods.Statx(FileFacts.CurrentDirectory, path, 0, NativeMethods.StatxBasicStats, out var stat) != 0
            ? null
            : new FileSignature(((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor, stat.Inode, stat.Size, stat.ModifiedSeconds, stat.ModifiedNanoseconds);

    public bool SameFile(FileSignature other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Device == other.Device && Inode == other.Inode;
    }
}

/// <summary>Why a file may not be read or written (access(2)), asked without opening the file.</summary>
public enum FileRefusal
{
    /// <summary>The file may be read or written.</summary>
    None,

    /// <summary>The path names nothing.</summary>
    Missing,

    /// <summary>A right is missing, on the file or on a directory above it.</summary>
    NoPermission,

    /// <summary>The file system is mounted read-only.</summary>
    ReadOnlyFileSystem,

    /// <summary>Another error; its number is the last P/Invoke error.</summary>
    Other,
}

/// <summary>Asks whether this process may read or write a file, without opening the file.</summary>
public static class FileRefusals
{
    public static FileRefusal OfReading(string path) => Of(path, NativeMethods.MayRead);

    public static FileRefusal OfWriting(string path) => Of(path, NativeMethods.MayWrite);

    /// <summary>True for the error of a file that was opened for writing on a file system that is mounted read-only.</summary>
    public static bool IsReadOnlyFileSystem(IOException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.HResult == NativeMethods.ReadOnlyFileSystem;
    }

    private static FileRefusal Of(string path, int mode) =>
        NativeMethods.Access(path, mode) == 0 ? FileRefusal.None : Marshal.GetLastPInvokeError() switch
        {
            NativeMethods.NoEntry or NativeMethods.NotADirectory => FileRefusal.Missing,
            NativeMethods.AccessDenied => FileRefusal.NoPermission,
            NativeMethods.ReadOnlyFileSystem => FileRefusal.ReadOnlyFileSystem,
            _ => FileRefusal.Other,
        };
}
