using System.Reflection;
using PolicyDaemon.Core.Configuration;

namespace PolicyDaemon.Daemon.Hosting;

/// <summary>The settings in force; SIGHUP replaces them whole.</summary>
internal sealed class RunningConfiguration(Settings settings)
{
    private volatile Settings settings = settings;

    public Settings Settings
    {
        get => settings;
        set => settings = value;
    }
}

/// <summary>The program's version, as <c>--version</c> prints it.</summary>
internal static class DaemonVersion
{
    public static string Text { get; } =
        typeof(DaemonVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
