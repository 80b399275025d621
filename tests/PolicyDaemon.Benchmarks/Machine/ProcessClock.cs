using System.Runtime.InteropServices;

namespace PolicyDaemon.Benchmarks.Machine;

/// <summary>Processor time in nanoseconds as the kernel accounts it, all threads and those that ended.</summary>
internal static partial class ProcessClock
{
    private const int Children = -1; // RUSAGE_CHILDREN

    /// <summary>The clock of a running process. See clock_getcpuclockid(3); the number is CPUCLOCK_SCHED of the process.</summary>
    internal static TimeSpan Of(int pid)
    {
        var now = new long[2];
        if (ClockGetTime((~pid << 3) | 2, ref now[0]) != 0)
            throw new BenchmarkException($"process {pid} is gone");
        return TimeSpan.FromTicks((now[0] * TimeSpan.TicksPerSecond) + (now[1] / 100));
    }

    /// <summary>Of all children that ended and were waited for. See getrusage(2).</summary>
    internal static TimeSpan OfEndedChildren()
    {
        var usage = new long[18];
        if (GetResourceUsage(Children, ref usage[0]) != 0)
            throw new BenchmarkException("getrusage failed");
        return TimeSpan.FromSeconds(usage[0] + usage[2]) + TimeSpan.FromMicroseconds(usage[1] + usage[3]);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ClockGetTime(int clock, ref long secondsAndNanoseconds);

    [LibraryImport("libc", EntryPoint = "getrusage")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetResourceUsage(int who, ref long usage);
}
