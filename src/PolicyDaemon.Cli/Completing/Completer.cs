using System.CommandLine;
using System.CommandLine.Parsing;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Cli.Completing;

/// <summary>What may stand where the cursor is: the shells' completion asks, with the line as it is so far.</summary>
/// <remarks>
/// <code>
/// policyctl __complete "policyctl domain show par"     one candidate a line, a tab, what it is
/// :files                                               where a file is meant
/// </code>
/// The shells know nothing of commands: packaging/completion only asks and shows. What takes no completion gets none, so that no shell
/// offers the names of files in the place of a destination.
/// </remarks>
internal static class Completer
{
    internal const string Verb = "__complete";

    private const string Files = ":files";
    private const int Most = 500;

    private static readonly string[] FileNames = ["FILE", "DIR"];

    internal static ExitCode Run(IReadOnlyList<string> args, RootCommand root, CliHost host)
    {
        var words = ShellWords.Split(args.Count > 1 ? args[1] : "").Skip(1).ToList();
        if (words.Count == 0)
            return ExitCode.Done;
        foreach (var (label, description) in Candidates(root, host, [.. words.SkipLast(1)], words[^1]).Take(Most))
            host.Out.WriteLine(description.Length == 0 ? label : $"{label}\t{ShownText.Escape(description)}");
        return ExitCode.Done;
    }

    private static IEnumerable<(string Label, string Description)> Candidates(RootCommand root, CliHost host, string[] before, string current)
    {
        var line = root.Parse(before);
        var command = line.CommandResult.Command;
        if (before.Length > 0 && Option(command, before[^1]) is { Arity.MinimumNumberOfValues: > 0 } option)
            return Values(option, option.HelpName, line, host, current);
        if (current.IndexOf('=', StringComparison.Ordinal) is var equals and > 0 && Option(command, current[..equals]) is { Arity.MaximumNumberOfValues: > 0 } assigned)
        {
            // Of a file's name the shell completes what stands behind the sign by itself.
            return Values(assigned, assigned.HelpName, line, host, current[(equals + 1)..])
                .Select(value => (value.Label == Files ? Files : current[..(equals + 1)] + value.Label, value.Description));
        }

        if (current.StartsWith('-'))
        {
            return Options(command).Where(known => !known.Hidden && known.Name.StartsWith(current, StringComparison.Ordinal))
                .Select(known => (known.Name, First(known.Description)));
        }

        return command.Subcommands.Count > 0
            ? command.Subcommands.Where(verb => verb.Name.StartsWith(current, StringComparison.Ordinal)).Select(verb => (verb.Name, First(verb.Description)))
            : Argument(line) is { } argument ? Values(argument, argument.HelpName ?? argument.Name, line, host, current) : [];
    }

    private static IEnumerable<(string Label, string Description)> Values(Symbol symbol, string? name, ParseResult line, CliHost host, string current)
    {
        if (FileNames.Contains(name))
            return [(Files, "")];
        var known = symbol is Option { CompletionSources: var ofOption } ? ofOption : ((Argument)symbol).CompletionSources;
        var values = known.SelectMany(source => source(line.GetCompletionContext())).Select(item => (item.Label, item.Detail ?? item.Documentation ?? ""));
        if (StoredValues.Of(symbol, line.CommandResult.Command) is { } stored)
            values = values.Concat(FromStore(stored, line, host, current));
        return values.Where(value => value.Label.StartsWith(current, StringComparison.OrdinalIgnoreCase)).DistinctBy(value => value.Label);
    }

    /// <summary>A store that cannot be read has nothing to offer; whoever runs the command is told why.</summary>
    private static List<(string, string)> FromStore(StoredValues.Source source, ParseResult line, CliHost host, string current)
    {
        try
        {
            var settings = SettingsReader.Load(Text(line, "--config") ?? host.Configuration, Text(line, "--database"));
            using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, host.Time);
            return [.. source(store, line, current).Take(Most)];
        }
        catch (Exception unreadable) when (unreadable is StoreException or ConfigurationException or IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? Text(ParseResult line, string option) => line.GetResult(option) is OptionResult { Tokens: [var token, ..] } ? token.Value : null;

    private static Option? Option(Command command, string word) =>
        Options(command).FirstOrDefault(option => option.Name == word || option.Aliases.Contains(word));

    private static IEnumerable<Option> Options(Command command) =>
        command.Options.Concat(command.Parents.OfType<Command>().SelectMany(Options).Where(option => option.Recursive));

    /// <summary>The argument that the next word is for.</summary>
    private static Argument? Argument(ParseResult line) => line.CommandResult.Command.Arguments.FirstOrDefault(argument =>
        (line.GetResult(argument)?.Tokens.Count ?? 0) < argument.Arity.MaximumNumberOfValues);

    private static string First(string? description)
    {
        var text = description ?? "";
        var end = text.IndexOfAny([';', '.']);
        return end < 0 || (end + 1 < text.Length && text[end + 1] != ' ') ? text : text[..end];
    }
}
