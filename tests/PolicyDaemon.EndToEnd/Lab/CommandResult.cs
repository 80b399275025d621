namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>What a finished command left behind.</summary>
public sealed record CommandResult(string Command, int ExitCode, string Output, string Error)
{
    /// <summary>The output, if the command ended well; otherwise the test ends with all the command said.</summary>
    public string Require(int exitCode = 0) => ExitCode == exitCode
        ? Output
        : throw new InvalidOperationException($"expected exit code {exitCode}: {this}");

    public override string ToString() => $"{Command}\nexit code {ExitCode}\nstdout: {Output}\nstderr: {Error}";
}
