namespace PolicyDaemon.Benchmarks.Machine;

/// <summary>Who runs on which core: a server and its client do not take turns on one.</summary>
internal static class Cores
{
    private static readonly bool Several = Environment.ProcessorCount > 1;

    internal static IReadOnlyList<string> Client => Several ? ["taskset", "-c", "0"] : [];

    /// <summary>The same, before anybody else: what others keep the client waiting for is not the server's doing.</summary>
    internal static IReadOnlyList<string> FirstClient => [.. Client, "chrt", "--fifo", "1"];

    /// <summary>True where that is allowed: outside root's own user namespace nobody may ask for it.</summary>
    internal static bool CanGoFirst { get; } = File.ReadAllText("/proc/self/uid_map").Contains("4294967295", StringComparison.Ordinal);

    internal static IReadOnlyList<string> Server => Several ? ["taskset", "-c", "1"] : [];

    internal static string Description => Several ? "client on core 0, server on core 1" : "client and server on the only core";
}
