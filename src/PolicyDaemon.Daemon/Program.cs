namespace PolicyDaemon.Daemon;

internal static class Program
{
    private static Task<int> Main(string[] args) => DaemonCommand.RunAsync(args, Console.Out, Console.Error);
}
