using PolicyDaemon.Lookup;

namespace PolicyDaemon.Daemon;

internal static class Program
{
    private static Task<int> Main(string[] args)
    {
        // Before anything can make a socket.
        SocketRuntime.UseInlineCompletions();
        return DaemonCommand.RunAsync(args, Console.Out, Console.Error);
    }
}
