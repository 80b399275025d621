using System.Globalization;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>How many connections the process's descriptors allow.</summary>
/// <remarks>
/// A flood of connections must not take the descriptors that the store, DNS and the probes need: accept failing would be the
/// least of it. So the limit of connections stays below the limit of descriptors (getrlimit(2), RLIMIT_NOFILE).
/// </remarks>
internal static class DescriptorLimit
{
    // The database with its log and lock files, the status file, DNS and SMTP sockets of the prober, the runtime's own.
    private const int Reserve = 256;

    /// <summary>The smaller of the configured number and what the descriptors leave.</summary>
    public static int Connections(int configured) => Connections(configured, ReadSoftLimit("/proc/self/limits"));

    internal static int Connections(int configured, long? descriptors) => descriptors is { } limit
        ? (int)Math.Clamp(Math.Max(limit - Reserve, limit / 2), 1, configured)
        : configured;

    /// <returns>Null where there is no limit or none can be read.</returns>
    internal static long? ReadSoftLimit(string limitsFile)
    {
        try
        {
            foreach (var line in File.ReadLines(limitsFile))
            {
                // "Max open files            1024                 524288               files", see proc(5)
                if (line.StartsWith("Max open files", StringComparison.Ordinal)
                    && long.TryParse(line.AsSpan(14).Trim().ToString().Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var limit))
                    return limit;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No /proc: accept's own errors are handled as well.
        }

        return null;
    }
}
