using System.Runtime.InteropServices;

namespace PolicyDaemon.Core.Runtime;

/// <summary>The room that a file system has left for users without privileges (statvfs(3)).</summary>
/// <param name="FreeBytes">Free octets; what is reserved for root is not among them.</param>
/// <param name="TotalBytes">The size of the file system in octets.</param>
/// <param name="FreeInodes">Files that can still be made.</param>
/// <param name="TotalInodes">All files that it can hold; 0 where it has no such limit, as btrfs.</param>
public readonly record struct FileSystemSpace(long FreeBytes, long TotalBytes, long FreeInodes, long TotalInodes)
{
    /// <returns>Null where the path names nothing that can be seen.</returns>
    public static FileSystemSpace? Of(string path) => NativeMethods.StatVfs(path, out var space) != 0 ? null : new FileSystemSpace(
        Bytes(space.Available, space.FragmentSize), Bytes(space.Blocks, space.FragmentSize), Bytes(space.FilesAvailable, 1), Bytes(space.Files, 1));

    private static long Bytes(ulong count, ulong size) => (long)UInt128.Min((UInt128)count * size, (UInt128)long.MaxValue);

    /// <summary>bits/statvfs.h, struct statvfs: the same on every 64-bit architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct StatVfs
    {
        [FieldOffset(8)]
        internal ulong FragmentSize;

        [FieldOffset(16)]
        internal ulong Blocks;

        [FieldOffset(32)]
        internal ulong Available;

        [FieldOffset(40)]
        internal ulong Files;

        [FieldOffset(56)]
        internal ulong FilesAvailable;
    }
}
