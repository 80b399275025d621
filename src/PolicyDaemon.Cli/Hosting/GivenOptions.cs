using System.CommandLine;
using System.Text;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>The options by which the caller named another configuration, store or Postfix: each command of policyctl that is shown repeats
/// those that it takes, so that pasted it is about the same machine.</summary>
/// <remarks>Whoever words a message names commands as they are on a machine with one daemon and one Postfix; this is the one place that adds to them.</remarks>
internal sealed class GivenOptions
{
    private const string Program = "policyctl ";

    // These ask neither a store nor a Postfix.
    private static readonly string[] Without = ["help", "version"];

    private readonly Dictionary<string, IReadOnlyList<(string Option, string Text)>> ofVerbs = new(StringComparer.Ordinal);

    /// <summary>Nothing was given, or nothing that takes repeating.</summary>
    internal static GivenOptions None { get; } = new();

    /// <summary>What a command line gives.</summary>
    internal static GivenOptions Of(ParseResult result, GlobalOptions globals)
    {
        var given = new GivenOptions();
        var everywhere = new[] { globals.Config, globals.Database }.Select(option => Given(result, option)).OfType<(string, string)>()
            .Where(option => option != (globals.Config.Name, Written(globals.Config.Name, SettingsReader.DefaultFile))).ToList();
        foreach (var verb in result.RootCommandResult.Command.Subcommands.Where(verb => !Without.Contains(verb.Name)))
        {
            var own = Postfix(verb) is null || Postfix(result.CommandResult.Command) is not { } postfix ? null : Given(result, postfix);
            List<(string, string)> all = [.. everywhere, .. own is { } directory ? [directory] : (ReadOnlySpan<(string, string)>)[]];
            if (all.Count > 0)
                given.ofVerbs.Add(verb.Name, all);
        }

        return given;
    }

    /// <summary>A text with these options in each command of policyctl that it names.</summary>
    internal string In(string text)
    {
        var at = ofVerbs.Count == 0 ? -1 : text.IndexOf(Program, StringComparison.Ordinal);
        if (at < 0)
            return text;
        var whole = new StringBuilder(text.Length + 64);
        var end = 0;
        while (at >= 0)
        {
            at += Program.Length;
            var next = text.IndexOf(Program, at, StringComparison.Ordinal);
            var command = text.AsSpan(at, (next < 0 ? text.Length : next) - at);
            whole.Append(text, end, at - end);
            end = at;
            if (ofVerbs.TryGetValue(Verb(command), out var options))
                foreach (var (option, words) in options)
                    if (!Names(command, option))
                        whole.Append(words).Append(' ');
            at = next;
        }

        return whole.Append(text, end, text.Length - end).ToString();
    }

    private static Option<string?>? Postfix(Command command) => command.Options.OfType<Option<string?>>().FirstOrDefault(option => option.Name == "--postfix");

    private static (string Option, string Text)? Given(ParseResult result, Option<string?> option) =>
        result.GetValue(option) is { } value ? (option.Name, Written(option.Name, value)) : null;

    private static string Written(string option, string value) => $"{option} {Shell.Quote(value)}";

    private static string Verb(ReadOnlySpan<char> command)
    {
        var end = command.IndexOfAnyExceptInRange('a', 'z');
        return (end < 0 ? command : command[..end]).ToString();
    }

    private static bool Names(ReadOnlySpan<char> command, string option) =>
        command.IndexOf($"{option} ", StringComparison.Ordinal) >= 0 || command.IndexOf($"{option}=", StringComparison.Ordinal) >= 0;
}
