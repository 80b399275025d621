namespace PolicyDaemon.Benchmarks.Machine;

/// <summary>Makes the programs that are measured and those that measure.</summary>
internal static class Toolchain
{
    /// <summary>The repository: the directory above this program that has the solution.</summary>
    internal static string Root { get; } = FindRoot();

    /// <summary>Publishes policyd, policyctl and policyd-web as they ship, unless published ones are given, and compiles the two C programs.</summary>
    internal static async Task<Options> PrepareAsync(Options options)
    {
        Directory.CreateDirectory(options.Output);
        var binaries = options.Binaries ?? Path.Combine(Root, "artifacts", "publish");
        if (options.Binaries is null)
        {
            foreach (var project in (string[])["Daemon", "Cli", "Web"])
            {
                Console.Error.WriteLine($"-- publish PolicyDaemon.{project}");
                await Run.AsyncOrThrow("dotnet", [
                    "publish", Path.Combine(Root, "src", $"PolicyDaemon.{project}"), "--configuration", "Release", "--runtime", "linux-x64",
                    "--output", binaries, "--verbosity", "quiet", "-p:RestoreLockedMode=true"]);
            }
        }

        foreach (var program in (string[])["policyd", "policyctl", "policyd-web"])
        {
            if (!File.Exists(Path.Combine(binaries, program)))
                throw new BenchmarkException($"there is no {program} in {binaries}");
        }

        foreach (var program in (string[])["yardstick", "load"])
        {
            await Run.AsyncOrThrow("gcc", [
                "-O2", "-Wall", "-Wextra", "-Werror", "-o", Native(options, program),
                Path.Combine(Root, "tests", "PolicyDaemon.Benchmarks", "native", $"{program}.c")]);
        }

        return options with { Binaries = binaries };
    }

    internal static string Native(Options options, string program) => Path.Combine(options.Output, program);

    private static string FindRoot()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "PolicyDaemon.sln")))
                return directory;
        }

        throw new BenchmarkException("this program does not lie in a checkout of PolicyDaemon");
    }
}
