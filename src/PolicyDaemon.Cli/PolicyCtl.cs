using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Commands.Program;
using PolicyDaemon.Cli.Completing;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli;

/// <summary>The program: parses the command line, runs one command, turns what happened into an exit code.</summary>
internal static class PolicyCtl
{
    private static int Main(string[] args)
    {
        StandardStreams.Secure();
        return Run(args, CliHost.System());
    }

    internal static int Run(IReadOnlyList<string> args, CliHost host)
    {
        using var output = new ForgivingWriter(host.Out);
        using var error = new ForgivingWriter(host.Error);
        var isDone = false;
        var given = GivenOptions.None;
        void Done() => isDone = true;
        string Commands(string text) => given.In(text);
        var code = Invoke(args, host with
        {
            Out = output, Error = new WrappedWriter(error, host.ErrorWidth, Commands), ErrorDevice = error, Done = Done, IsDone = () => isDone,
            Commands = Commands, Journal = new DoneWhenNoted(host.Journal, Done),
        }, options => given = options);
        output.Flush();
        if (output.Problem is { } problem)
            code = Unwritten(problem, code, isDone, error);
        error.Flush();
        return (int)code;
    }

    /// <param name="args">The command line.</param>
    /// <param name="host">The machine.</param>
    /// <param name="give">Told what the command line gives, once it is known to be one.</param>
    private static ExitCode Invoke(IReadOnlyList<string> args, CliHost host, Action<GivenOptions> give)
    {
        if (OtherUser.IsMeant(args))
            return OtherUser.Execute(args, host);
        var globals = new GlobalOptions();
        var root = Compose(globals, host);
        if (args is [Completer.Verb, ..])
            return Completer.Run(args, root, host);
        var result = root.Parse(args);
        var configuration = new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
        };
        try
        {
            if (result.Action is ParseErrorAction || UsageErrors.HasStrayOption(result))
                return UsageErrors.Report(result, host);
            if (UsageErrors.ReportSwallowedOption(result, args, host) is { } wrong)
                return wrong;
            if (result.Action is not ExamplesHelp)
                give(GivenOptions.Of(result, globals));
            return (ExitCode)result.Invoke(configuration);
        }
        catch (Exception exception) when (Failures.TryDescribe(exception, out var failure))
        {
            failure.Write(host.Error, host.ErrorIsTerminal && !result.GetValue(globals.Utc) ? host.Time.LocalTimeZone : null);
            return failure.Code;
        }
    }

    /// <summary>What was to be said could not be written: to a closed standard output, say, or to a full disk.</summary>
    /// <returns>A failure like any other, but for a change that was made: whoever believes that it was not would make it again.</returns>
    private static ExitCode Unwritten(string problem, ExitCode code, bool isDone, TextWriter error)
    {
        error.WriteLine(isDone
            ? $"policyctl: it is done, but its result could not be written to standard output: {problem}"
            : $"policyctl: standard output: {problem}");
        return code == ExitCode.Done && !isDone ? ExitCode.Invalid : code;
    }

    /// <summary>The commands and options as they are, to be held against the manual.</summary>
    internal static RootCommand Model() => Compose(new GlobalOptions(), CliHost.System());

    /// <summary>Every command. A new one is a file under <c>Commands</c> and a line in <see cref="CommandList"/>.</summary>
    internal static RootCommand Compose(GlobalOptions globals, CliHost host)
    {
        var root = new RootCommand(CommandList.Description);
        globals.AddTo(root);
        var runner = new CommandRunner(globals, host);
        foreach (var command in CommandList.All(runner, () => root))
            root.Add(command);
        VersionVerb.Replace(root, runner);
        foreach (var option in root.Options.OfType<HelpOption>())
        {
            option.Action = new ExamplesHelp((HelpAction)option.Action!, () => host.Width(), CommandList.Closing);
            // Of another system; here a path may be called so.
            option.Aliases.Remove("/h");
            option.Aliases.Remove("/?");
        }

        return root;
    }

    /// <summary>Every change to the store is noted in the journal, as soon as it is committed.</summary>
    private sealed class DoneWhenNoted(IChangeJournal journal, Action done) : IChangeJournal
    {
        public void Note(long change, Actor actor, string headHash, string summary)
        {
            done();
            journal.Note(change, actor, headHash, summary);
        }
    }
}
