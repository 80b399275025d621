using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;

namespace PolicyDaemon.Cli.Commands.Audit;

/// <summary><c>undo</c></summary>
internal static class UndoVerb
{
    internal static Command Create(CommandRunner runner)
    {
        var id = new Argument<long>("ID") { Description = "The change, as printed by the command that made it and by `policyctl audit`" };
        var write = new WriteOptions();
        var verb = new Verb("undo", "Take one change back, where nothing touched its keys since. A rejected pin stays rejected.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where there is no such change, or its keys were changed since",
            Examples =
            [
                ("policyctl undo 12 --dry-run", "Show what would be answered again."),
                ("policyctl undo 12 --reason 'wrong partner'", "Take it back; a reason is needed where that weakens."),
            ],
        };
        verb.Add(id);
        write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => ChangeCommand.RunAsync(
            context, write, view => Plan(context, view, context.Get(id)), cancellation, summary: true)));
        return verb;
    }

    private static IReadOnlyList<PlannedChange> Plan(CommandContext context, StoreView view, long id)
    {
        // What each key was is read before any is written, and takes about as long.
        using var progress = new Progress(context.Host, "reading");
        return UndoChange.Plan(view, id, progress);
    }
}
