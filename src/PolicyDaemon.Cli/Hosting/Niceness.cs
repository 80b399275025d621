using System.ComponentModel;
using System.Diagnostics;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>How much of the processor this command takes where others want it, too.</summary>
internal static class Niceness
{
    /// <summary>Sets the nice value of the thread that runs the command, and of all that it starts, to 10. Where that is refused the command goes on as it was.</summary>
    internal static void Lower()
    {
        try
        {
            using var process = Process.GetCurrentProcess();
            process.PriorityClass = ProcessPriorityClass.BelowNormal;
        }
        catch (Exception refused) when (refused is Win32Exception or NotSupportedException)
        {
            // Slower for others, not wrong.
        }
    }
}
