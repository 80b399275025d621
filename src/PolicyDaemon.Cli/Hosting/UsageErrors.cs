using System.CommandLine;
using System.CommandLine.Parsing;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Explains an error in a command line: what is wrong, which word was perhaps meant, and where the help is.</summary>
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

    /// <summary>Refuses an option whose value is left out, so that the next option would be taken for it: <c>--reason --dry-run</c> must not
    /// change anything for the reason "--dry-run". Behind an equals sign any text is a value.</summary>
    /// <returns>Null where there is none.</returns>
    internal static ExitCode? ReportSwallowedOption(ParseResult result, IReadOnlyList<string> args, CliHost host)
    {
        var options = OptionsOf(result.CommandResult.Command).ToList();
        for (var i = 0; i + 1 < args.Count && args[i] != "--"; i++)
        {
            if (options.Find(option => IsNamed(option, args[i])) is not { Arity.MinimumNumberOfValues: > 0 } || !options.Exists(option => IsNamed(option, args[i + 1])))
                continue;
            var path = Path(result.CommandResult);
            host.Error.WriteLine($"policyctl: {args[i]} takes a value, and '{args[i + 1]}' is an option; if it is meant as the value, write {args[i]}={args[i + 1]}");
            host.Error.WriteLine($"See: {path} --help");
            return ExitCode.Usage;
        }

        return null;
    }

    private static bool IsNamed(Option option, string word) => option.Name == word || option.Aliases.Contains(word);

    /// <summary>Rewrites a message of the parser, which names .NET types: every argument and option that is no text is a number.</summary>
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
        .SelectMany(argument => argument.Tokens).Select(token => token.Value).FirstOrDefault(value => value.Length > 1 && value[0] == '-');

    /// <summary>The words of other programs, each with ours for the same.</summary>
    private static readonly Dictionary<string, string> OtherWords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ls"] = "list", ["get"] = "show", ["describe"] = "show", ["info"] = "show", ["rm"] = "remove", ["del"] = "remove", ["delete"] = "remove",
        ["create"] = "add", ["new"] = "add", ["update"] = "set", ["modify"] = "set", ["change"] = "set", ["upgrade"] = "init", ["log"] = "audit",
        ["history"] = "audit", ["revert"] = "undo", ["rollback"] = "undo", ["load"] = "import", ["dump"] = "export", ["save"] = "backup",
        ["test"] = "check", ["scan"] = "check", ["lookup"] = "query", ["why"] = "explain", ["trust"] = "pin approve", ["sync"] = "apply", ["diagnose"] = "doctor", ["health"] = "doctor", ["selftest"] = "doctor",
    };

    private static string Unknown(Command command, string path, string unknown)
    {
        var shown = ShownText.Escape(unknown);
        // What many programs take for it, where -v is for verbose.
        if (unknown == "-V")
            return $"{path} has no option '-V'; did you mean '--version'?";
        if (unknown.StartsWith('-'))
            return $"{path} has no option '{shown}'{Nearest.Suggestion(unknown, OptionsOf(command).Select(option => option.Name))}";
        if (command.Subcommands.Count == 0)
            return $"{path} takes no further argument, but '{shown}' was given";
        var meant = Meant(command, unknown);
        return $"{path} has no verb '{shown}'{(meant is null ? $"; it has {string.Join(", ", command.Subcommands.Select(verb => verb.Name))}" : $"; did you mean '{meant}'?")}";
    }

    /// <summary>The verb that was meant: one of the command's own, else one behind a noun, both also by another program's word for it.</summary>
    private static string? Meant(Command command, string unknown)
    {
        var own = command.Subcommands.Select(verb => verb.Name).ToList();
        var behind = Leaves(command, "").ToList();
        var word = OtherWords.GetValueOrDefault(unknown, unknown);
        return Known(own, word) ?? Known(behind, word) ?? behind.Find(path => path.EndsWith(' ' + word, StringComparison.OrdinalIgnoreCase))
            ?? Nearest.Of(unknown, own) ?? Behind(behind, unknown);
    }

    private static string? Known(List<string> names, string word) => names.Find(name => name.Equals(word, StringComparison.OrdinalIgnoreCase));

    private static string? Behind(List<string> paths, string unknown) =>
        Nearest.Of(unknown, paths.Select(path => path[(path.LastIndexOf(' ') + 1)..])) is { } verb
            ? paths.Find(path => path == verb || path.EndsWith(' ' + verb, StringComparison.Ordinal))
            : null;

    private static IEnumerable<string> Leaves(Command command, string path) => command.Subcommands.SelectMany(child =>
        child.Subcommands.Count == 0 ? [path + child.Name] : Leaves(child, path + child.Name + " "));

    /// <summary>What is said of words that <c>help</c> does not find a command by.</summary>
    internal static string NoSuchCommand(Command root, string[] words)
    {
        var (at, path) = (root, "policyctl");
        foreach (var word in words)
        {
            if (at.Subcommands.FirstOrDefault(verb => verb.Name == word) is not { } next)
                return Unknown(at, path, word);
            (at, path) = (next, $"{path} {word}");
        }

        return $"{path} is no command";
    }

    private static string Path(CommandResult result)
    {
        var names = new List<string>();
        for (SymbolResult? at = result; at is CommandResult command; at = command.Parent)
            names.Insert(0, command.Command is RootCommand ? "policyctl" : command.Command.Name);
        return string.Join(' ', names);
    }
}
