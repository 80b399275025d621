using System.Runtime.InteropServices;

namespace PolicyDaemon.Core.Runtime;

/// <summary>Makes this process another user's, for good, as a daemon does that was started by root.</summary>
public static class ProcessUser
{
    /// <summary>Takes a root directory, then a working directory in it, then the user's groups and user id; there is no way back.</summary>
    /// <param name="user">Who to become.</param>
    /// <param name="root">The new root directory (chroot(2)); null to keep the present one.</param>
    /// <param name="directory">The working directory, as it is called below the new root.</param>
    /// <exception cref="IOException">A step is not allowed. The process may be half changed: end it.</exception>
    public static void Become(UnixUser user, string? root, string directory)
    {
        ArgumentNullException.ThrowIfNull(user);
        if (root is not null)
            Require(NativeMethods.ChangeRoot(root), $"chroot {root}");
        Require(NativeMethods.ChangeDirectory(directory), $"chdir {directory}");
        Require(NativeMethods.SetGroups((nuint)user.Groups.Count, [.. user.Groups]), "setgroups");
        Require(NativeMethods.SetGroup(user.Group), "setgid");
        Require(NativeMethods.SetUser(user.Id), "setuid");
    }

    private static void Require(int result, string step)
    {
        if (result != 0)
            throw new IOException($"{step}: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}
