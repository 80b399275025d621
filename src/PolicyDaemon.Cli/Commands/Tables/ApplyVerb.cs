using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.Tables;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Files;
using PolicyDaemon.Cli.Hosting;

namespace PolicyDaemon.Cli.Commands.Tables;

/// <summary><c>apply</c>: the store as a file says.</summary>
internal static class ApplyVerb
{
    private sealed record Options(Argument<string> File, Option<bool> Prune, Option<bool> Diff, WriteOptions Write);

    internal static Command Create(CommandRunner runner)
    {
        var options = new Options(
            new Argument<string>("FILE") { Description = "Entries as export --full writes them, or as JSON; - for standard input" },
            new Option<bool>("--prune") { Description = "Remove the entries that the file lacks; takes a reason" },
            new Option<bool>("--diff") { Description = "Show what would change, but change nothing; 1 where something would" },
            new WriteOptions());
        var verb = new Verb("apply", "Make the store as a file says: add, change, with --prune remove. A second time there is nothing to do.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "with --diff: 1 where something would change; 5 where the file cannot be applied, then nothing is",
            Examples =
            [
                ("policyctl apply --diff entries.conf", "What would change, row by row."),
                ("policyctl apply entries.conf --wait 10", "Make it so, and return once the daemon answers from it."),
                ("policyctl apply entries.conf --prune --reason 'release 42'", "And remove what the file does not have."),
                ("policyctl export --full | policyctl apply -", "Changes nothing: export --full writes all that apply reads."),
            ],
        };
        verb.Add(options.File);
        verb.Add(options.Prune);
        verb.Add(options.Diff);
        options.Write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, options, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, Options options, CancellationToken cancellation)
    {
        var table = new DeclaredTable(context.Get(options.File)!, context.Settings, context.Host.Time);
        using (var source = TableSource.Open(context, context.Get(options.File)!, "a file of entries, as export --full writes them, or JSON"))
            table.Read(source);
        if (!context.Get(options.Write.Quiet))
        {
            foreach (var warning in table.Warnings)
                context.Report.Warning(warning);
        }

        IReadOnlyList<PlannedChange> planned = [];
        if (!context.Get(options.Diff))
            return await ChangeCommand.RunAsync(context, options.Write, Plan, cancellation, summary: true);
        var result = new ChangeFlow(context.Settings, context.Host.Time, context.Host.Journal)
            .Run(options.Write.Request(context) with { DryRun = true }, Plan);
        if (!context.Get(options.Write.Quiet))
        {
            if (context.Report.IsTable)
                EntryDiff.Write(context.Report, planned, result);
            ChangeReport.WriteDifferences(context.Report, result);
        }

        return result.Keys.Any(key => key.IsChanged) ? ExitCode.Negative : ExitCode.Done;

        // A difference is shown whether or not making it takes a reason.
        IReadOnlyList<PlannedChange> Plan(StoreView view) =>
            planned = table.Plan(view, context.Get(options.Prune), scope: null, context.Get(options.Diff) || context.Get(options.Write.Reason) is not null);
    }
}
