using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace PolicyDaemon.Cli;

/// <summary>The library's help, with the command's examples below.</summary>
internal sealed class ExamplesHelp(HelpAction help) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        help.MaxWidth = 110;
        help.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is Verb verb)
            Write(verb, output);
        else if (parseResult.CommandResult.Command is RootCommand)
            output.WriteLine(Commands.CommandList.Closing);
        return (int)ExitCode.Done;
    }

    private static void Write(Verb verb, TextWriter output)
    {
        if (verb.Columns.Count > 0)
        {
            output.WriteLine("Columns of --format tsv:");
            output.WriteLine("  " + string.Join(", ", verb.Columns));
            output.WriteLine();
        }

        if (verb.ExitCodes is not null)
        {
            output.WriteLine("Exit code:");
            output.WriteLine("  " + verb.ExitCodes);
            output.WriteLine();
        }

        output.WriteLine("Examples:");
        foreach (var (line, does) in verb.Examples)
        {
            output.WriteLine("  " + line);
            output.WriteLine("      " + does);
        }

        output.WriteLine();
    }
}
