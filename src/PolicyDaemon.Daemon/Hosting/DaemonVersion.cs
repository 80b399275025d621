using System.Reflection;

namespace PolicyDaemon.Daemon.Hosting;

/// <summary>The program's version, as <c>--version</c> prints it.</summary>
internal static class DaemonVersion
{
    public static string Text { get; } =
        typeof(DaemonVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
