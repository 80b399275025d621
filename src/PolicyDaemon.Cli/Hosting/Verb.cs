using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using PolicyDaemon.Cli.Output;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>A command whose help ends with examples, columns and exit codes.</summary>
internal sealed class Verb(string name, string description) : Command(name, description)
{
    /// <summary>Examples: command lines that work as they stand, each with what it does.</summary>
    public required IReadOnlyList<(string Line, string Does)> Examples { get; init; }

    /// <summary>The columns of <c>--format tsv</c>, for the help; empty where the command writes no rows.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>The meaning of exit codes other than 0 and 2 for this command.</summary>
    public string? ExitCodes { get; init; }
}

/// <summary>The library's help, with the command's examples below.</summary>
/// <param name="help">The help action of the library.</param>
/// <param name="width">The terminal's columns; 0 where there is none.</param>
/// <param name="closing">The end of the program's own help.</param>
internal sealed class ExamplesHelp(HelpAction help, Func<int> width, string closing) : SynchronousCommandLineAction
{
    private const int Widest = 110;
    private const int Narrowest = 60;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var columns = width() is > 0 and var known ? Math.Clamp(known, Narrowest, Widest) : Widest;
        help.MaxWidth = columns;
        help.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is Verb verb)
            Write(verb, output, columns);
        else if (parseResult.CommandResult.Command is RootCommand)
        {
            foreach (var line in closing.Split('\n').SelectMany(line => Wrapping.Lines(line, columns)))
                output.WriteLine(line);
        }

        return (int)ExitCode.Done;
    }

    private static void Write(Verb verb, TextWriter output, int columns)
    {
        if (verb.Columns.Count > 0)
        {
            output.WriteLine("Columns of --format tsv:");
            Indented(output, 2, string.Join(", ", verb.Columns), columns);
            output.WriteLine();
        }

        if (verb.ExitCodes is not null)
        {
            output.WriteLine("Exit code:");
            Indented(output, 2, verb.ExitCodes, columns);
            output.WriteLine();
        }

        output.WriteLine("Examples:");
        foreach (var (line, does) in verb.Examples)
        {
            output.WriteLine("  " + line);
            Indented(output, 6, does, columns);
        }

        output.WriteLine();
    }

    private static void Indented(TextWriter output, int indent, string text, int columns)
    {
        foreach (var line in Wrapping.Break(text, columns - indent))
            output.WriteLine(new string(' ', indent) + line);
    }
}
