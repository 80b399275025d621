using System.CommandLine;
using System.CommandLine.Invocation;
using PolicyDaemon.Core.Configuration;

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
    internal static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var parsed = Compose(output, error).Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (var problem in parsed.Errors)
                await error.WriteLineAsync($"policyd-web: {problem.Message}");
            await error.WriteLineAsync("See: policyd-web --help");
            return (int)WebExitCode.Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            // Signals are the host's business.
            ProcessTerminationTimeout = null,
        });
    }

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
                    return (int)await WebServer.RunAsync(settings, cancellation);
                await output.WriteLineAsync($"pages on {(settings.Web.Socket is { } socket ? $"unix:{socket}" : $"http://{settings.Web.Address}/")}, of the store {settings.Database}");
                return (int)WebExitCode.Stopped;
            }
            catch (ConfigurationException exception)
            {
                foreach (var problem in exception.Problems)
                    await error.WriteLineAsync($"policyd-web: {problem}");
                return (int)WebExitCode.Invalid;
            }
            catch (IOException exception)
            {
                await error.WriteLineAsync($"policyd-web: {exception.Message}");
                return (int)WebExitCode.Failed;
            }
        });
        return root;
    }
}
