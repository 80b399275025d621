using System.Globalization;
using PolicyDaemon.Core.Audit;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Finds the user behind this process: effective user, login user, user of sudo.</summary>
internal static class ProcessActor
{
    private const string LoginUidFile = "/proc/self/loginuid"; // proc_pid_loginuid(5): kept across su and sudo
    private const uint NoLogin = uint.MaxValue; // (uid_t)-1: started by the system, not by a login

    internal static Actor Current(Func<string, string?> variable) =>
        new(Environment.UserName, LoginUser(ReadOrEmpty(LoginUidFile), () => File.ReadLines("/etc/passwd")), SudoUser(variable));

    /// <summary>The name of the login uid; <c>uid N</c> where the user is in a directory and not in the file.</summary>
    internal static string? LoginUser(string loginUid, Func<IEnumerable<string>> passwd)
    {
        if (!uint.TryParse(loginUid.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var uid) || uid == NoLogin)
            return null;
        var number = uid.ToString(CultureInfo.InvariantCulture);
        try
        {
            foreach (var line in passwd())
            {
                var fields = line.Split(':'); // passwd(5): name:password:uid:...
                if (fields.Length > 2 && fields[2] == number)
                    return fields[0];
            }
        }
        catch (IOException)
        {
        }
        catch (UnauthorizedAccessException)
        {
        }

        return "uid " + number;
    }

    private static string? SudoUser(Func<string, string?> variable) =>
        variable("SUDO_USER") is { Length: > 0 } user ? user : null;

    private static string ReadOrEmpty(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
        catch (UnauthorizedAccessException)
        {
            return "";
        }
    }
}
