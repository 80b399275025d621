using System.CommandLine;
using System.CommandLine.Completions;
using PolicyDaemon.Cli.Hosting;

namespace PolicyDaemon.Cli.Commands.Program;

/// <summary><c>help</c>: what <c>--help</c> says, asked for as a verb.</summary>
internal static class HelpVerb
{
    /// <param name="root">The program, once it is complete.</param>
    internal static Command Create(Func<RootCommand> root)
    {
        var words = new Argument<string[]>("COMMAND") { Description = "The command, such as domain add", Arity = ArgumentArity.ZeroOrMore };
        var verb = new Verb("help", "Show the help of a command.")
        {
            Examples =
            [
                ("policyctl help domain add", "The same as: policyctl domain add --help"),
                ("policyctl help", "Every command."),
            ],
        };
        verb.Add(words);
        words.CompletionSources.Add(context => (Named(root(), context.ParseResult.GetValue(words) ?? [])?.Subcommands ?? [])
            .Select(command => new CompletionItem(command.Name, detail: command.Description)));
        verb.SetAction(result =>
        {
            var named = result.GetValue(words) ?? [];
            var program = root();
            return Named(program, named) is not null
                ? program.Parse([.. named, "--help"]).Invoke(result.InvocationConfiguration)
                : throw new CommandException(ExitCode.Usage, UsageErrors.NoSuchCommand(program, named));
        });
        return verb;
    }

    private static Command? Named(Command program, IEnumerable<string> words) =>
        words.Aggregate<string, Command?>(program, (at, word) => at?.Subcommands.FirstOrDefault(verb => verb.Name == word));
}
