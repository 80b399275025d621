using System.Globalization;

namespace PolicyDaemon.Core.Runtime;

/// <summary>A user of the machine, as /etc/passwd and /etc/group have it. Users of a directory service are not known here.</summary>
/// <param name="Name">The login name.</param>
/// <param name="Id">The user id.</param>
/// <param name="Group">The id of the user's own group.</param>
/// <param name="Groups">The ids of all groups, the own one among them.</param>
public sealed record UnixUser(string Name, uint Id, uint Group, IReadOnlyList<uint> Groups)
{
    private const string Users = "/etc/passwd"; // passwd(5)
    private const string UserGroups = "/etc/group"; // group(5)
    private const int MaxBytes = 16 * 1024 * 1024;

    /// <returns>Null where there is no such user, or the files cannot be read.</returns>
    public static UnixUser? Find(string name) => Find(fields => fields[0] == name, Lines(Users), Lines(UserGroups));

    /// <inheritdoc cref="Find(string)"/>
    public static UnixUser? Find(uint id) => Find(fields => Number(fields[2]) == id, Lines(Users), Lines(UserGroups));

    /// <returns>The name of a group; its number where it has none.</returns>
    public static string GroupName(uint id) =>
        Lines(UserGroups).Select(line => line.Split(':')).FirstOrDefault(fields => fields.Length > 2 && Number(fields[2]) == id)?[0]
        ?? id.ToString(CultureInfo.InvariantCulture);

    /// <summary>True for the rights of this process's user 0, by which files may be read that nobody else may.</summary>
    public static bool IsRoot => NativeMethods.EffectiveUser() == 0;

    internal static UnixUser? Find(Func<string[], bool> isMeant, IEnumerable<string> passwd, IEnumerable<string> group)
    {
        // name:password:uid:gid:...
        if (passwd.Select(line => line.Split(':')).FirstOrDefault(fields => fields.Length > 3 && isMeant(fields)) is not { } user
            || Number(user[2]) is not { } id || Number(user[3]) is not { } own)
            return null;
        // name:password:gid:member,member
        var others = group.Select(line => line.Split(':'))
            .Where(fields => fields.Length > 3 && fields[3].Split(',').Contains(user[0], StringComparer.Ordinal)).Select(fields => Number(fields[2])).OfType<uint>();
        return new UnixUser(user[0], id, own, [.. others.Prepend(own).Distinct()]);
    }

    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string[] Lines(string file)
    {
        try
        {
            return new FileInfo(file).Length > MaxBytes ? [] : File.ReadAllLines(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
