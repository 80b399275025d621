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
        var keys = Arguments.KeysOrPatterns();
        var write = new WriteOptions();
        var verb = new Verb("remove", "Remove destinations and their pins. Postfix then uses the parent's entry or smtp_tls_security_level.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured",
            Examples =
            [
                ("policyctl domain remove example.com --reason 'contract ended'", "Remove an entry; undo brings it back with its pins."),
                ("policyctl domain remove a.example b.example '*.old.example' --reason 'moved away'", "Several and a pattern; one change, one undo."),
                ("policyctl domain remove example.com --dry-run", "Show what Postfix would be told instead."),
            ],
        };
        verb.Add(keys);
        write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, keys, write, cancellation)));
        return verb;
    }

    private static Task<ExitCode> RunAsync(CommandContext context, Argument<string[]> keys, WriteOptions write, CancellationToken cancellation)
    {
        var selection = context.Selection(keys);
        return ChangeCommand.RunAsync(context, write, view => EntryPlans.Remove(view, selection), cancellation);
    }
}
