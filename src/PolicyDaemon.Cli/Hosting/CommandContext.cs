using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>What a handler works with. Configuration and store are read when first asked for, so that <c>query</c> pays for neither more than it needs.</summary>
internal sealed class CommandContext(ParseResult result, CliHost host, Report report, string? configFile, string? database)
{
    private Settings? settings;
    private IReadOnlyList<ConfigurationProblem>? problems;

    public CliHost Host { get; } = host;

    public Report Report { get; } = report;

    /// <summary>The configuration of <c>--config</c> and <c>--database</c>.</summary>
    public Settings Settings => settings ??= SettingsReader.Load(configFile, database);

    /// <summary>Reads the configuration, and goes on with what of it can be used.</summary>
    /// <returns>What is wrong with the rest.</returns>
    public IReadOnlyList<ConfigurationProblem> ReadUsable()
    {
        // Once: it may come from a pipe.
        if (problems is null)
            settings = SettingsReader.LoadUsable(configFile, database, out problems);
        return problems;
    }

    /// <summary>The command line as given, for the audit log.</summary>
    public string CommandLine { get; } = string.Join(' ', result.Tokens.Select(token => Shell.Quote(token.Value)));

    /// <summary>The command line as given but for some options, and with others instead, to be pasted.</summary>
    /// <param name="without">Options without a value that are left out.</param>
    /// <param name="with">Words that are added behind the verb.</param>
    public string Rephrased(Option without, params ReadOnlySpan<string> with)
    {
        var words = result.Tokens.Select(token => token.Value).Where(word => word != without.Name && !without.Aliases.Contains(word)).ToList();
        var verb = words.IndexOf(result.CommandResult.Command.Name);
        words.InsertRange(verb + 1, with);
        return "policyctl " + string.Join(' ', words.Select(Shell.Quote));
    }

    /// <summary>Opens the configured store.</summary>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public PolicyStore OpenStore(StoreAccess access)
    {
        var store = PolicyStore.Open(Settings.Database, access, Host.Time);
        if (store.OnlyRead is { } reason)
            Report.Warning($"{reason.Message}; it is read as it lies");
        return store;
    }

    public T? Get<T>(Option<T> option) => result.GetValue(option);

    public T? Get<T>(Argument<T> argument) => result.GetValue(argument);

    /// <summary>True where the command line names the option.</summary>
    public bool Has(Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>The destination that an argument names.</summary>
    /// <exception cref="CommandException">The argument is no destination.</exception>
    public NextHop Key(Argument<string> argument) => ParseKey(result.GetRequiredValue(argument));

    /// <summary>The key of an entry that a word of the command line names: a destination, or <c>*</c>.</summary>
    /// <exception cref="CommandException">It names none.</exception>
    public static NextHop EntryKey(string word) =>
        NextHop.TryParseEntry(word, out var key, out var reason) ? key : throw new CommandException(ExitCode.Usage, reason);

    /// <summary>The keys of entries that an argument names.</summary>
    /// <exception cref="CommandException">A word names none.</exception>
    public IReadOnlyList<NextHop> EntryKeys(Argument<string[]> argument)
    {
        var words = result.GetRequiredValue(argument);
        RefuseExpanded(words);
        return [.. words.Select(EntryKey).Distinct()];
    }

    /// <summary>The destinations that an argument names.</summary>
    /// <exception cref="CommandException">A word names none.</exception>
    public IReadOnlyList<NextHop> Keys(Argument<string[]> argument)
    {
        var words = result.GetRequiredValue(argument);
        RefuseExpanded(words);
        return [.. words.Select(ParseKey).Distinct()];
    }

    /// <summary>The destinations that an argument names, by patterns too.</summary>
    /// <exception cref="CommandException">A word names none.</exception>
    public KeySelection Selection(Argument<string[]> argument)
    {
        var words = result.GetRequiredValue(argument);
        RefuseExpanded(words);
        return KeySelection.TryParse(words, out var selection, out var reason) ? selection : throw new CommandException(ExitCode.Usage, reason);
    }

    /// <summary>The destinations that an argument names, as a key or by a pattern.</summary>
    /// <exception cref="CommandException">It is neither.</exception>
    public KeySelection Selection(Argument<string> argument) =>
        KeySelection.TryParse([result.GetRequiredValue(argument)], out var selection, out var reason) ? selection : throw new CommandException(ExitCode.Usage, reason);

    /// <summary>Refuses a single letter with a hint: to a shell <c>[mx.example]</c> is a pattern, which it replaces by a file whose name is one of these letters.</summary>
    private static void RefuseExpanded(string[] words)
    {
        if (Array.Find(words, word => word.Length == 1 && char.IsAsciiLetterOrDigit(word[0])) is { } letter)
            throw new CommandException(ExitCode.Usage, $"'{letter}' is no destination; if a key in brackets was meant, the shell has replaced it: write it in quotes, '[mx.example.com]'");
    }

    /// <exception cref="CommandException">There is no directory to write this file into.</exception>
    public static void RequireDirectory(string path)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } directory && !Directory.Exists(directory))
            throw new CommandException(ExitCode.Invalid, $"{path}: there is no directory {directory}");
    }

    /// <exception cref="CommandException">The text is no destination.</exception>
    public static NextHop ParseKey(string text) =>
        NextHop.TryParse(text, out var key, out var reason) ? key : throw new CommandException(ExitCode.Usage, reason);
}
