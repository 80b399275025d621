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

    // Without the prober's: what is open at an idle daemon with two listeners, 22, and what opening and saving the store takes for a moment.
    private const int Needed = 32;

    /// <summary>The most connections: the configured number, or what the limit of descriptors leaves; 0 where it is too low even for the process itself.</summary>
    public static int Connections(int configured) => Connections(configured, ReadSoftLimit("/proc/self/limits"));

    /// <returns>What is wrong and what to do; null where connections can be held.</returns>
    public static string? Refusal() => Refusal(ReadSoftLimit("/proc/self/limits"));

    internal static string? Refusal(long? descriptors) => Connections(1, descriptors) > 0
        ? null
        : $"the process may open {descriptors} files, and {Needed} are needed before a connection can be held; raise LimitNOFILE, or `ulimit -n`, "
            + $"to {2 * Reserve} or more";

    internal static int Connections(int configured, long? descriptors) => descriptors is { } limit
        ? (int)Math.Clamp(Math.Min(Math.Max(limit - Reserve, limit / 2), limit - Needed), 0, configured)
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
