using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Status;

/// <summary>That policyd does not run, wherever something is said of mail: what the store holds is then nobody's answer.</summary>
public static class DaemonAbsence
{
    /// <returns>A sentence with the command that ends it; null where policyd runs, or where that cannot be told.</returns>
    public static string? Of(Settings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return DaemonLock.IsHeld(settings.StatusFile) == false
            ? "policyd does not run: mail waits, every delivery that asks it is deferred (4.7.5) and tried again. Start it: systemctl start policyd"
            : null;
    }
}
