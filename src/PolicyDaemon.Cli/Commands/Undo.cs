using System.CommandLine;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Cli.Commands;

/// <summary><c>undo</c></summary>
internal static class Undo
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
        verb.SetAction(runner.Handle(context => Run(context, context.Get(id), write)));
        return verb;
    }

    private static ExitCode Run(CommandContext context, long id, WriteOptions write) => new ChangeFlow(context, write, summary: true).Run(view =>
    {
        var plan = view.PlanUndo(id);
        if (!plan.IsPossible)
            throw new CommandException(
                ExitCode.Negative, FormattableString.Invariant($"change {id} cannot be taken back; nothing was changed"), plan.Obstacles);
        var isProbers = view.Store.Change(id).Any(row => row.Actor.Effective == Actor.Prober.Effective);
        return
        [
            .. plan.Steps.Select(step => new PlannedChange(step.Key, step.Now, step.BackTo)
            {
                Warnings =
                [
                    .. step.StillRejected.Select(pin => $"the pin {pin} was rejected since and stays rejected"),
                    .. isProbers ? (string[])[Repeats(step.Key)] : [],
                ],
            }),
        ];
    });

    private static string Repeats(NextHop key)
    {
        var quoted = Shell.Quote(key.Text);
        return $"the prober made this change and makes it again on the same evidence; to keep a key out: policyctl pin reject {quoted} FINGERPRINT, "
            + $"to decide everything yourself: policyctl domain set {quoted} --mode locked";
    }
}
