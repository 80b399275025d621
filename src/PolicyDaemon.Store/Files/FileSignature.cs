using System.Runtime.InteropServices;

namespace PolicyDaemon.Store.Files;

/// <summary>Which file a path names, and in which state: a replaced database is another inode, whatever an open handle says.</summary>
internal sealed record FileSignature(ulong Device, ulong Inode, ulong Size, long Modified, uint ModifiedNanoseconds)
{
    internal bool SameFile(FileSignature other) => Device == other.Device && Inode == other.Inode;

    /// <summary>Null where the path names nothing that can be seen.</summary>
    internal static FileSignature? Of(string path)
    {
        if (NativeMethods.Statx(NativeMethods.CurrentDirectory, path, 0, NativeMethods.StatxBasicStats, out var stat) != 0)
            return null;
        return new FileSignature(((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor, stat.Inode, stat.Size, stat.ModifiedSeconds, stat.ModifiedNanoseconds);
    }

    /// <summary>linux/stat.h, struct statx: the same on every architecture, unlike struct stat.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct StatxBuffer
    {
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
