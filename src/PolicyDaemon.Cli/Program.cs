using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli;

internal static class Program
{
    private static int Main(string[] args)
    {
        StandardStreams.Secure();
        return PolicyCtl.Run(args, CliHost.System());
    }
}
