namespace PolicyDaemon.Benchmarks;

/// <summary>The command line.</summary>
/// <param name="Binaries">Where policyd, policyctl and the two C programs are; null until they are made.</param>
internal sealed record Options(string Command, bool Quick, string Output, string? Binaries)
{
    /// <summary>Null where the command line cannot be understood.</summary>
    internal static Options? Parse(ReadOnlySpan<string> args)
    {
        if (args.IsEmpty || args[0].StartsWith('-'))
            return null;
        var options = new Options(args[0], false, Path.Combine(Machine.Toolchain.Root, "artifacts", "benchmarks"), null);
        for (var at = 1; at < args.Length; at++)
        {
            if (args[at] == "--quick")
                options = options with { Quick = true };
            else if (args[at] == "--output" && at + 1 < args.Length)
                options = options with { Output = Path.GetFullPath(args[++at]) };
            else if (args[at] == "--binaries" && at + 1 < args.Length)
                options = options with { Binaries = Path.GetFullPath(args[++at]) };
            else
                return null;
        }

        return options;
    }

    internal IReadOnlyList<string> ToArguments() =>
        [Command, .. Quick ? ["--quick"] : Array.Empty<string>(), "--output", Output, .. Binaries is null ? [] : new[] { "--binaries", Binaries }];
}
