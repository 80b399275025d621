using System.CommandLine;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Web.Hosting;

/// <summary>The exit codes of policyd-web(8), those of policyd.</summary>
internal enum WebExitCode
{
    /// <summary>It was stopped, or nobody asked for a page any more.</summary>
    Stopped = 0,

    /// <summary>It could not listen, or failed.</summary>
    Failed = 1,

    /// <summary>The command line cannot be understood.</summary>
    Usage = 2,

    /// <summary>The configuration cannot be used.</summary>
    Invalid = 5,
}

/// <summary>The command line: <c>policyd-web [--config FILE] [--database FILE] [--check]</c>.</summary>
internal static class WebCommand
{
    private const string Name = "policyd-web";

    internal static Task<int> RunAsync(string[] args, TextWriter output, TextWriter error) =>
        ProgramCommand.RunAsync(Name, Compose(output, error), args, output, error, (int)WebExitCode.Usage);

    /// <summary>The command line with its options; the program runs it, and a test compares it with the manual.</summary>
    internal static RootCommand Compose(TextWriter output, TextWriter error)
    {
        var config = new Option<string?>("--config")
        {
            HelpName = "FILE",
            Description = $"The configuration [default: {SettingsReader.DefaultFile} if it exists]",
        };
        var database = new Option<string?>("--database")
        {
            HelpName = "FILE",
            Description = "The store to show [default: store.database of the configuration]",
        };
        var check = new Option<bool>("--check")
        {
            Description = "Validate the configuration, print where pages would be served, and exit with 0 or 5",
        };
        var root = new RootCommand("Shows on web pages what PolicyDaemon answers, sees and needs a person for; changes nothing.") { config, database, check };
        root.SetAction(async (result, cancellation) =>
        {
            try
            {
                var settings = SettingsReader.Load(result.GetValue(config), result.GetValue(database));
                if (!result.GetValue(check))
                    return (int)await WebServer.RunAsync(settings, output, cancellation);
                await output.WriteLineAsync($"pages on {(settings.Web.Socket is { } socket ? $"unix:{socket}" : $"http://{settings.Web.Address}/")}, of the store {settings.Database}");
                return (int)WebExitCode.Stopped;
            }
            catch (ConfigurationException exception)
            {
                await ProgramCommand.WriteAsync(Name, exception, error);
                return (int)WebExitCode.Invalid;
            }
            catch (IOException exception)
            {
                await error.WriteLineAsync($"{Name}: {exception.Message}");
                return (int)WebExitCode.Failed;
            }
        });
        return root;
    }
}
