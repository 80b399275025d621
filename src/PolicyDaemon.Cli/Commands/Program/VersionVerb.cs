using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;

namespace PolicyDaemon.Cli.Commands.Program;

/// <summary><c>version</c> and <c>--version</c>: the release, and the commit that it was built from where that is known.</summary>
internal static class VersionVerb
{
    private static readonly string[] Columns = ["version", "commit"];

    internal static Command Create(CommandRunner runner)
    {
        var verb = new Verb("version", "Show the version, and the commit that it was built from.")
        {
            Columns = Columns,
            Examples =
            [
                ("policyctl version", "The same as: policyctl --version"),
                ("policyctl version --format json", "For a program."),
            ],
        };
        verb.SetAction(runner.Handle(Show));
        return verb;
    }

    /// <summary>The option <c>--version</c> does as the verb.</summary>
    internal static void Replace(RootCommand root, CommandRunner runner)
    {
        foreach (var option in root.Options.OfType<VersionOption>())
            option.Action = new ShowAction(runner.Handle(Show));
    }

    /// <summary>Version and commit in one word.</summary>
    internal static string Text => Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    private static ExitCode Show(CommandContext context)
    {
        var (version, commit) = Read(Text);
        if (context.Report.IsTable)
            context.Report.Line(commit is null ? version : $"{version} (commit {commit})");
        else
        {
            var table = new Table(Columns);
            table.Add(version, commit ?? "-");
            context.Report.Rows(table, new VersionJson(version, commit), CliJson.Default.VersionJson);
        }

        return ExitCode.Done;
    }

    /// <summary>Behind a plus sign stands the commit (https://semver.org, section 10); sources without a history have none.</summary>
    internal static (string Version, string? Commit) Read(string informational)
    {
        var plus = informational.IndexOf('+', StringComparison.Ordinal);
        return plus < 0 ? (informational, null) : (informational[..plus], informational[(plus + 1)..]);
    }

    private sealed class ShowAction(Func<ParseResult, int> show) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult) => show(parseResult);
    }
}
