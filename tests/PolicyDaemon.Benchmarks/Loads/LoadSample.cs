using System.Globalization;

namespace PolicyDaemon.Benchmarks.Loads;

/// <summary>What one run of the load generator measured.</summary>
/// <param name="CpuMicroseconds">The server's processor time per request.</param>
/// <param name="MedianMicroseconds">From a request to its reply.</param>
/// <param name="LateMicroseconds">The 99th percentile of the same.</param>
internal sealed record LoadSample(
    long Requests, double PerSecond, double CpuMicroseconds, double MedianMicroseconds, double LateMicroseconds, long Wrong, long ResidentKiB)
{
    internal static LoadSample Parse(string line)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new LoadSample(
            (long)Number(0), Number(1), Number(2), Number(3), Number(4), (long)Number(5), (long)Number(6));

        double Number(int index) => double.Parse(fields[index], CultureInfo.InvariantCulture);
    }
}
