using System.CommandLine;
using System.CommandLine.Parsing;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Says what is wrong with a command line, which word was perhaps meant, and where the help is.</summary>
internal static class UsageErrors
{
    /// <summary>True where an argument looks like an option: a misspelled one must not become a key or a pattern.</summary>
    internal static bool HasStrayOption(ParseResult result) => result.Action is not ExamplesHelp && StrayOption(result) is not null;

    internal static ExitCode Report(ParseResult result, CliHost host)
    {
        var command = result.CommandResult.Command;
        var path = Path(result.CommandResult);
        var unknown = StrayOption(result) ?? (result.UnmatchedTokens.Count > 0 ? result.UnmatchedTokens[0] : null);
        if (unknown is not null)
            host.Error.WriteLine("policyctl: " + Unknown(command, path, unknown));
        else if (command.Subcommands.Count > 0)
            host.Error.WriteLine($"policyctl: {path} needs a verb: {string.Join(", ", command.Subcommands.Select(verb => verb.Name))}");
        else
            foreach (var error in result.Errors.Select(Message).Distinct())
                host.Error.WriteLine("policyctl: " + ShownText.Escape(error));
        host.Error.WriteLine($"See: {path} --help");
        return ExitCode.Usage;
    }

    /// <summary>The parser speaks of its own types; every argument and option that is no text is a number.</summary>
    private static string Message(ParseError error)
    {
        var (name, values) = error.SymbolResult switch
        {
            ArgumentResult { Parent: OptionResult option, Tokens: var tokens } => (option.Option.Name, tokens),
            OptionResult option => (option.Option.Name, option.Tokens),
            ArgumentResult argument => (argument.Argument.HelpName ?? argument.Argument.Name, argument.Tokens),
            _ => ("", []),
        };
        return error.Message.Contains("System.", StringComparison.Ordinal) && values.Count > 0
            ? $"{name} takes a number, but '{values[0].Value}' was given"
            // A list of words, each on a line of its own behind a tab.
            : error.Message.Replace("\n\t", " ", StringComparison.Ordinal);
    }

    private static IEnumerable<Option> OptionsOf(Command command) =>
        command.Options.Concat(command.Parents.OfType<Command>().SelectMany(OptionsOf).Where(option => option.Recursive));

    private static string? StrayOption(ParseResult result) => result.CommandResult.Children.OfType<ArgumentResult>()
        .SelectMany(argument => argument.Tokens).Select(token => token.Value).FirstOrDefault(value => value.StartsWith("--", StringComparison.Ordinal));

    private static string Unknown(Command command, string path, string unknown)
    {
        var isOption = unknown.StartsWith('-');
        var names = isOption
            ? OptionsOf(command).Select(option => option.Name).ToList()
            : command.Subcommands.Select(verb => verb.Name).ToList();
        var nearest = names.Select(name => (Name: name, Distance: Distance(name, unknown))).Where(near => near.Distance <= 3 && near.Distance < near.Name.Length)
            .OrderBy(near => near.Distance).Select(near => near.Name).FirstOrDefault();
        var meant = nearest is null ? "" : $"; did you mean '{nearest}'?";
        var shown = ShownText.Escape(unknown);
        if (isOption)
            return $"{path} has no option '{shown}'{meant}";
        return command.Subcommands.Count > 0
            ? $"{path} has no verb '{shown}'{(meant.Length > 0 ? meant : $"; it has {string.Join(", ", names)}")}"
            : $"{path} takes no further argument, but '{shown}' was given";
    }

    private static string Path(CommandResult result)
    {
        var names = new List<string>();
        for (SymbolResult? at = result; at is CommandResult command; at = command.Parent)
            names.Insert(0, command.Command is RootCommand ? "policyctl" : command.Command.Name);
        return string.Join(' ', names);
    }

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours that lead from one word to the other.</summary>
    private static int Distance(string left, string right)
    {
        var rows = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= right.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= left.Length; i++)
        {
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = left[i - 1] == right[j - 1] ? 0 : 1;
                var best = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                    best = Math.Min(best, rows[i - 2, j - 2] + 1);
                rows[i, j] = best;
            }
        }

        return rows[left.Length, right.Length];
    }
}
