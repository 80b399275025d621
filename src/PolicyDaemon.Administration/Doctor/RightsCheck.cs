using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Doctor;

/// <summary>What a user is to be able to do with a path.</summary>
[Flags]
public enum PathUse
{
    None = 0,
    Run = 1,
    Write = 2,
    Read = 4,
}

/// <summary>A path with the rights on it and on the way to it.</summary>
/// <param name="Path">The path.</param>
/// <param name="What">What it is, for people.</param>
/// <param name="Use">What the daemon does with it.</param>
/// <param name="Way">Every directory that leads to it, from the root on.</param>
/// <param name="Facts">What the system knows of it; null where it is not there, or cannot be seen.</param>
public sealed record PathRights(string Path, string What, PathUse Use, IReadOnlyList<(string Directory, FileFacts Facts)> Way, FileFacts? Facts)
{
    // Linux: PATH_MAX is 4096, and a directory takes two characters at least.
    private const int MostDirectories = 2048;

    /// <summary>Reads the rights on a path, links followed.</summary>
    public static PathRights Read(string path, string what, PathUse use)
    {
        ArgumentNullException.ThrowIfNull(path);
        var way = new List<(string, FileFacts)>();
        for (var at = System.IO.Path.GetDirectoryName(path); at is { Length: > 0 } && way.Count < MostDirectories; at = System.IO.Path.GetDirectoryName(at))
        {
            if (FileFacts.Of(at, followLink: true) is { } facts)
                way.Add((at, facts));
        }

        way.Reverse();
        return new PathRights(path, what, use, way, FileFacts.Of(path, followLink: true));
    }

    /// <summary>The first place that the user may not pass; null where all is open.</summary>
    internal string? Obstacle(UnixUser user)
    {
        foreach (var (directory, facts) in Way)
        {
            if (!Has(user, facts, PathUse.Run))
                return directory;
        }

        return Facts is { } own && !Has(user, own, Use) ? Path : null;
    }

    /// <summary>The class that counts is the first that fits: owner, group, others (path_resolution(7)).</summary>
    private static bool Has(UnixUser user, FileFacts facts, PathUse use)
    {
        if (user.Id == 0)
            return true;
        var shift = user.Id == facts.Owner ? 6 : user.Groups.Contains(facts.Group) ? 3 : 0;
        return (((int)facts.Mode >> shift) & (int)use) == (int)use;
    }
}

/// <summary>Whether the daemon may read and write what it needs, and nobody may read its secrets; by modes, without access control lists.</summary>
public static class RightsCheck
{
    private const string Name = "rights";

    /// <param name="service">The user of the daemon; null where that is not known.</param>
    /// <param name="paths">What the daemon needs.</param>
    /// <param name="secretFile">The configuration, where it holds a secret such as the password of a webhook; otherwise null.</param>
    public static IEnumerable<DoctorFinding> Judge(UnixUser? service, IReadOnlyList<PathRights> paths, PathRights? secretFile)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var isFine = true;
        if (secretFile is { Facts: { } secret } && secret.Mode.HasFlag(UnixFileMode.OtherRead))
        {
            isFine = false;
            yield return DoctorFinding.Warning(
                Name, $"{secretFile.Path} holds the password of alert_webhook, and every user of this machine may read it",
                $"chgrp {Shell.Quote(service is null ? "policydaemon" : UnixUser.GroupName(service.Group))} {Shell.Quote(secretFile.Path)}", $"chmod 0640 {Shell.Quote(secretFile.Path)}");
        }

        if (service is null)
        {
            yield return DoctorFinding.Unknown(Name, "which user policyd runs as is not known: none can be seen running, and there is no user policydaemon");
            yield break;
        }

        foreach (var path in paths)
        {
            if (path.Obstacle(service) is not { } obstacle)
                continue;
            isFine = false;
            yield return DoctorFinding.Problem(
                Name, $"{service.Name} may not {Verb(path.Use)} {path.Path} ({path.What}): {Why(path, obstacle)}", [.. Remedy(service, path, obstacle)]);
        }

        if (isFine)
            yield return DoctorFinding.Ok(Name, $"{service.Name}, the user of policyd, may use all {Phrases.Count(paths.Count(path => path.Facts is not null), "file")} that it needs");
    }

    private static string Verb(PathUse use) => use.HasFlag(PathUse.Write) ? "write" : use.HasFlag(PathUse.Run) ? "run" : "read";

    private static string Why(PathRights path, string obstacle)
    {
        var facts = obstacle == path.Path ? path.Facts!.Value : path.Way.First(step => step.Directory == obstacle).Facts;
        return $"{(obstacle == path.Path ? "its mode" : $"the mode of {obstacle}")} is {Convert.ToString((int)facts.Mode, 8).PadLeft(4, '0')}, "
            + $"owner {UnixUser.Find(facts.Owner)?.Name ?? $"{facts.Owner}"}, group {UnixUser.GroupName(facts.Group)}";
    }

    /// <summary>What is the daemon's own is given back to it; of what is others' as little is opened as is needed.</summary>
    private static IEnumerable<string> Remedy(UnixUser service, PathRights path, string obstacle)
    {
        var (group, quoted) = (Shell.Quote(UnixUser.GroupName(service.Group)), Shell.Quote(obstacle));
        if (obstacle == path.Path && path.Use.HasFlag(PathUse.Write))
        {
            yield return $"chown {Shell.Quote(service.Name)}:{group} {quoted}";
            yield return $"chmod {(path.Facts!.Value.Kind == FileKind.Directory ? "2770" : "0660")} {quoted}";
        }
        else if (obstacle == path.Path)
        {
            yield return $"chgrp {group} {quoted}";
            yield return $"chmod g+{(path.Use.HasFlag(PathUse.Run) ? "rx" : "r")} {quoted}";
        }
        else
        {
            // A directory on the way may be anybody's: whoever may enter sees no more than before.
            yield return $"chmod o+x {quoted}";
        }
    }
}
