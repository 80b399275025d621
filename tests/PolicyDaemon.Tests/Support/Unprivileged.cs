using System.Runtime.InteropServices;

namespace PolicyDaemon.Tests.Support;

/// <summary>What a user meets who lacks a permission; also where the tests run as root, to whom nothing is denied.</summary>
internal static class Unprivileged
{
    private const uint Nobody = 65534;

    /// <summary>Does something on this thread while a file may not be opened by anybody else than root, and this thread is not root.</summary>
    /// <param name="path">The file; its directory is made readable for all.</param>
    /// <param name="act">What is done; it must not leave the thread.</param>
    internal static T Deny<T>(string path, Func<T> act)
    {
        var directory = Path.GetDirectoryName(path)!;
        var (mode, before) = (File.GetUnixFileMode(path), File.GetUnixFileMode(directory));
        File.SetUnixFileMode(path, UnixFileMode.None);
        File.SetUnixFileMode(directory, before | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        if (Environment.IsPrivilegedProcess)
            _ = SetFileSystemUser(Nobody);
        try
        {
            return act();
        }
        finally
        {
            if (Environment.IsPrivilegedProcess)
                _ = SetFileSystemUser(0);
            File.SetUnixFileMode(directory, before);
            File.SetUnixFileMode(path, mode);
        }
    }

    // setfsuid(2): of this thread alone, and it takes the capabilities that go past file permissions with it.
#pragma warning disable SYSLIB1054 // two numbers need no generated marshalling
    [DllImport("libc", EntryPoint = "setfsuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetFileSystemUser(uint user);
#pragma warning restore SYSLIB1054
}
