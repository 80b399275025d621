using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Daemon;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        StandardStreams.Secure();
        await using var output = new ForgivingWriter(StandardStreams.Writer(StandardStreams.Output));
        await using var error = new ForgivingWriter(StandardStreams.Writer(StandardStreams.Error));
        var code = await DaemonCommand.RunAsync(args, output, error);
        if (output.Problem is { } problem)
            await error.WriteLineAsync($"policyd: standard output: {problem}");
        return code;
    }
}
