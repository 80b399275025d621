using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Web.Hosting;

namespace PolicyDaemon.Web;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        StandardStreams.Secure();
        await using var output = new ForgivingWriter(StandardStreams.Writer(StandardStreams.Output));
        await using var error = new ForgivingWriter(StandardStreams.Writer(StandardStreams.Error));
        return await WebCommand.RunAsync(args, output, error);
    }
}
