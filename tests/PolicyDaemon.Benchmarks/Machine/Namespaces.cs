using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PolicyDaemon.Benchmarks.Machine;

/// <summary>Network, mount and process namespaces of our own: ports 53 and 443, resolv.conf, and nothing left behind.</summary>
internal static class Namespaces
{
    private const string Mark = "POLICYDAEMON_BENCHMARKS_INSIDE";

    private static readonly List<PosixSignalRegistration> Signals = [];

    internal static bool AreOurs => Environment.GetEnvironmentVariable(Mark) == "1";

    /// <summary>Starts this program again, inside; when it ends, the kernel ends whatever it started.</summary>
    internal static async Task<int> RunInsideAsync(Options options)
    {
        List<string> arguments = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
        if (Environment.UserName != "root")
            arguments.AddRange(["--user", "--map-root-user"]);
        arguments.Add(Environment.ProcessPath!);
        arguments.AddRange(options.ToArguments());
        var start = new ProcessStartInfo("unshare", arguments);
        start.Environment[Mark] = "1";
        using var inside = Process.Start(start) ?? throw new BenchmarkException("unshare cannot be started");
        // SIGTERM for us alone: unshare is told to end what is inside with it.
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => inside.Kill());
        await inside.WaitForExitAsync();
        return inside.ExitCode;
    }

    internal static async Task SetUpAsync()
    {
        // The first process of a namespace survives these signals unless it handles them.
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM])
            Signals.Add(PosixSignalRegistration.Create(signal, _ => Environment.Exit(130)));
        await Run.AsyncOrThrow("ip", ["link", "set", "lo", "up"]);
        var resolver = Path.Combine(Path.GetTempPath(), $"policydaemon-benchmarks-resolv.{Environment.ProcessId}");
        await File.WriteAllTextAsync(resolver, "nameserver 127.0.0.1\n");
        var target = File.ResolveLinkTarget("/etc/resolv.conf", returnFinalTarget: true)?.FullName ?? "/etc/resolv.conf";
        await Run.AsyncOrThrow("mount", ["--bind", resolver, target]);
        File.Delete(resolver); // the mount keeps it
    }
}
