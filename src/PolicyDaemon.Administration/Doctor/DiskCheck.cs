using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Doctor;

/// <summary>Whether the file system of the store has room for what the daemon writes: changes, the log before them, the next snapshot.</summary>
public static class DiskCheck
{
    private const string Name = "disk";
    private const long MiB = 1024 * 1024;

    // A change and its log before it is written take some; a snapshot is written whole beside the old one.
    private const long LeastBytes = 8 * MiB;
    private const long FewBytes = 128 * MiB;
    private const long LeastInodes = 64;
    private const long FewInodes = 1024;

    /// <summary>Judges the room of the directory that has the store.</summary>
    /// <param name="directory">The directory, for people.</param>
    /// <param name="space">What its file system has left; null where it cannot be seen.</param>
    /// <param name="stored">Octets of the store with its companions, of which a copy may have to be written.</param>
    public static DoctorFinding Judge(string directory, FileSystemSpace? space, long stored)
    {
        if (space is not { } room)
            return DoctorFinding.Unknown(Name, $"the file system of {directory} cannot be seen; is the directory there, and may you enter it?");
        var least = LeastBytes + stored;
        var text = $"{Size(room.FreeBytes)} of {Size(room.TotalBytes)} free for {directory}";
        string[] remedy = [$"df -h {Shell.Quote(directory)}", $"du -xh {Shell.Quote(directory)} | sort -h | tail"];
        if (room.FreeBytes < least)
        {
            return DoctorFinding.Problem(
                Name, $"{text}, and {Size(least)} are needed: no change can be made, and the last good snapshot is not renewed; lookups go on. Make room", remedy);
        }

        if (room is { TotalInodes: > 0, FreeInodes: < LeastInodes })
        {
            return DoctorFinding.Problem(
                Name, string.Create(CultureInfo.InvariantCulture, $"{text}, but only {room.FreeInodes} files can still be made there (inodes): no change can be made. Remove files"),
                $"df -i {Shell.Quote(directory)}");
        }

        if (room.FreeBytes < Math.Max(FewBytes, 2 * least))
            return DoctorFinding.Warning(Name, $"{text}: make room before changes and snapshots cannot be written any more", remedy);
        return room is { TotalInodes: > 0, FreeInodes: < FewInodes }
            ? DoctorFinding.Warning(
                Name, string.Create(CultureInfo.InvariantCulture, $"{text}, but only {room.FreeInodes} files can still be made there (inodes)"), $"df -i {Shell.Quote(directory)}")
            : DoctorFinding.Ok(Name, text);
    }

    internal static string Size(long bytes) => bytes switch
    {
        >= 10L * 1024 * MiB => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1024 * MiB)} GiB"),
        >= MiB => string.Create(CultureInfo.InvariantCulture, $"{bytes / MiB} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024} KiB"),
    };
}
