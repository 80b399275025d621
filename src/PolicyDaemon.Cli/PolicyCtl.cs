using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using PolicyDaemon.Cli.Commands;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli;

/// <summary>The program: parses the command line, runs one command, turns what happened into an exit code.</summary>
internal static class PolicyCtl
{
    private const int MaxDetails = 100; // what is wrong with a table of a million rows still fits into a terminal's memory

    internal static int Run(IReadOnlyList<string> args, CliHost host)
    {
        var globals = new GlobalOptions();
        var result = Compose(globals, host).Parse(args);
        var configuration = new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
        };
        try
        {
            var code = result.Action is ParseErrorAction || UsageErrors.HasStrayOption(result)
                ? (int)UsageErrors.Report(result, host)
                : result.Invoke(configuration);
            // A result that could not be written is a failure like any other: a full disk, say.
            host.Out.Flush();
            return code;
        }
        catch (Exception exception) when (Failures.TryDescribe(exception, out var failure))
        {
            host.Error.WriteLine("policyctl: " + ShownText.Escape(failure.Message));
            foreach (var detail in failure.Details.Take(MaxDetails))
                host.Error.WriteLine("  " + ShownText.Escape(detail));
            if (failure.Details.Count > MaxDetails)
                host.Error.WriteLine(FormattableString.Invariant($"  ... and {failure.Details.Count - MaxDetails} more"));
            FlushWhatGoes(host.Out);
            return (int)failure.Code;
        }
        finally
        {
            host.Error.Flush();
        }
    }

    private static void FlushWhatGoes(TextWriter writer)
    {
        try
        {
            writer.Flush();
        }
        catch (IOException)
        {
            // The failure has been told; what stands before it cannot be written.
        }
    }

    /// <summary>The commands and options as they are, to be held against the manual.</summary>
    internal static RootCommand Model() => Compose(new GlobalOptions(), CliHost.System());

    /// <summary>Every command. A new one is a file under <c>Commands</c> and a line in <see cref="CommandList"/>.</summary>
    internal static RootCommand Compose(GlobalOptions globals, CliHost host)
    {
        var root = new RootCommand(CommandList.Description);
        globals.AddTo(root);
        foreach (var command in CommandList.All(new CommandRunner(globals, host)))
            root.Add(command);
        foreach (var option in root.Options.OfType<HelpOption>())
        {
            option.Action = new ExamplesHelp((HelpAction)option.Action!, () => host.Width());
            // Of another system; here a path may be called so.
            option.Aliases.Remove("/h");
            option.Aliases.Remove("/?");
        }

        return root;
    }
}
