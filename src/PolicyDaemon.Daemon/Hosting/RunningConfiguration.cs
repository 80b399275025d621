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
