using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Hosting;

namespace PolicyDaemon.Cli.Commands.Domains;

/// <summary><c>domain remove</c></summary>
internal static class DomainRemove
{
    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.Key();
        var write = new WriteOptions();
        var verb = new Verb("remove", "Remove a destination and its pins. Postfix then uses the parent's entry or smtp_tls_security_level.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured",
            Examples =
            [
                ("policyctl domain remove example.com --reason 'contract ended'", "Remove an entry; undo brings it back with its pins."),
                ("policyctl domain remove example.com --dry-run", "Show what Postfix would be told instead."),
            ],
        };
        verb.Add(key);
        write.AddTo(verb);
        verb.SetAction(runner.Handle(context => Run(context, key, write)));
        return verb;
    }

    private static ExitCode Run(CommandContext context, Argument<string> key, WriteOptions write)
    {
        var nextHop = context.Key(key);
        return ChangeCommand.Run(context, write, view => EntryPlans.Remove(view, nextHop));
    }
}
