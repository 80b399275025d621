namespace PolicyDaemon.Cli;

internal static class Program
{
    private static int Main(string[] args) => PolicyCtl.Run(args, CliHost.System());
}
