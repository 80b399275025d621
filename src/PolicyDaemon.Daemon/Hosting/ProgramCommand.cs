using System.CommandLine;
using System.CommandLine.Invocation;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Daemon.Hosting;

/// <summary>What the command lines of policyd and policyd-web have in common; both programs are compiled with this file.</summary>
internal static class ProgramCommand
{
    /// <summary>Runs what the arguments say.</summary>
    /// <param name="name">The program's name, with which its complaints begin.</param>
    /// <param name="usage">The exit code where the arguments cannot be understood.</param>
    internal static async Task<int> RunAsync(string name, RootCommand root, string[] args, TextWriter output, TextWriter error, int usage)
    {
        var parsed = root.Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (var problem in parsed.Errors)
                await error.WriteLineAsync($"{name}: {problem.Message}");
            await error.WriteLineAsync($"See: {name} --help");
            return usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            // Signals are the host's business: it drains before it ends.
            ProcessTerminationTimeout = null,
        });
    }

    /// <summary>Says what of the configuration cannot be used.</summary>
    internal static async Task WriteAsync(string name, ConfigurationException exception, TextWriter error)
    {
        foreach (var problem in exception.Problems)
            await error.WriteLineAsync($"{name}: {problem}");
    }

    /// <summary>The priority in the journal of an event of a level.</summary>
    internal static LogPriority Priority(this LogLevel level) => level switch
    {
        LogLevel.Critical => LogPriority.Critical,
        LogLevel.Error => LogPriority.Error,
        LogLevel.Warning => LogPriority.Warning,
        LogLevel.Information => LogPriority.Information,
        _ => LogPriority.Debug,
    };
}
