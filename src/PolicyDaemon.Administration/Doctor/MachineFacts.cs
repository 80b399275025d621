using System.Globalization;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;

namespace PolicyDaemon.Administration.Doctor;

/// <summary>Reads from this machine what the checks judge: the user of the daemon, the files it needs, the room on its disk.</summary>
public static class MachineFacts
{
    // packaging/systemd/policydaemon.sysusers
    private const string ServiceUser = "policydaemon";

    /// <summary>The user that policyd runs as: that of the running process, else the one that the package made, else whom the store's directory belongs to.</summary>
    /// <returns>Null where none of them is known.</returns>
    public static UnixUser? UserOf(StatusReport status)
    {
        ArgumentNullException.ThrowIfNull(status);
        // proc(5): the directory of a process belongs to its effective user.
        if (status.Live is { } live && FileFacts.Of(string.Create(CultureInfo.InvariantCulture, $"/proc/{live.ProcessId}")) is { } process)
            return Named(process.Owner, process.Group);
        if (UnixUser.Find(ServiceUser) is { } packaged)
            return packaged;
        return FileFacts.Of(status.Settings.Directory, followLink: true) is { Owner: > 0 } owned ? Named(owned.Owner, owned.Group) : null;
    }

    /// <summary>What the daemon reads, writes and runs, with the rights on it.</summary>
    public static IReadOnlyList<PathRights> PathsOf(Settings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var paths = new List<PathRights>();
        if (settings.File is { } file)
            paths.Add(PathRights.Read(Path.GetFullPath(file), "the configuration", PathUse.Read));
        foreach (var directory in new[] { settings.Directory, Path.GetDirectoryName(settings.Snapshot), Path.GetDirectoryName(settings.StatusFile) }.OfType<string>().Distinct(StringComparer.Ordinal))
            paths.Add(PathRights.Read(directory, "the directory of the store", PathUse.Read | PathUse.Write | PathUse.Run));
        paths.AddRange(StorePlace.Files(settings.Database).Select(part => PathRights.Read(part, "the store", PathUse.Read | PathUse.Write)));
        if (settings.Probe.CaFile.Text is { Length: > 0 } authorities)
            paths.Add(PathRights.Read(authorities, "ca_file", PathUse.Read));
        if (settings.Probe.Alerts.Command is [var program, ..])
            paths.Add(PathRights.Read(program, "alert_command", PathUse.Run));
        return paths;
    }

    /// <summary>The configuration, where it holds the password of a webhook; otherwise null.</summary>
    public static PathRights? SecretsOf(Settings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings is { File: { } file, Probe.Alerts.Webhook.UserInfo.Length: > 0 } ? PathRights.Read(Path.GetFullPath(file), "the configuration", PathUse.Read) : null;
    }

    /// <summary>The room where the store is.</summary>
    public static DoctorFinding DiskOf(Settings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var directory = settings.Directory;
        var stored = StorePlace.Files(settings.Database).Append(settings.Snapshot).Sum(Size);
        return DiskCheck.Judge(directory, FileSystemSpace.Of(directory), stored);
    }

    private static UnixUser Named(uint user, uint group) =>
        UnixUser.Find(user) ?? new UnixUser(user.ToString(CultureInfo.InvariantCulture), user, group, [group]);

    private static long Size(string file)
    {
        try
        {
            return new FileInfo(file) is { Exists: true } there ? there.Length : 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
