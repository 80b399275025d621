using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Hosting;

namespace PolicyDaemon.Cli.Commands.Stores;

/// <summary><c>store accept</c>: a person says that a replaced store is meant.</summary>
/// <remarks>policyd does not load a store whose audit log lacks the last row that it loaded; the old answers stay in force until then.</remarks>
internal static class StoreAccept
{
    internal static Command Create(CommandRunner runner)
    {
        var write = new WriteOptions();
        var after = new Option<long?>("--after") { HelpName = "SEQUENCE", Description = "Give up what machines had loaded behind this row of the audit log, as after a failover that lost changes; once, for all of them" };
        var verb = new Verb("accept", "Let policyd take over a store that was replaced, such as a restored backup. Takes a reason.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "5 where neither policyd nor its last good snapshot says what is in force",
            Examples =
            [
                ("policyctl store accept --dry-run", "Show which answers would change."),
                ("policyctl store accept --reason 'backup of Monday restored after the disk died'", "Take it over; the audit log keeps who did and why."),
                ("policyctl store accept --after 1 --reason 'db1 died before db2 had the last rows'", "After a failover: give up what db1 alone had, on all machines."),
            ],
        };
        verb.Options.Add(after);
        write.AddDecisionTo(verb);
        verb.SetAction(runner.Handle(context => Run(context, write, context.Get(after))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, WriteOptions write, long? after)
    {
        var request = write.Request(context);
        var acceptance = new StoreAcceptance(context.Settings, context.Host.Time, context.Host.Journal);
        var result = after is { } sequence ? acceptance.RunAfter(request, sequence) : acceptance.Run(request);
        if (result is null)
            context.Report.Note($"There is nothing to accept: {context.Settings.Database} is the store that policyd knows, or it was accepted already and policyd goes on with it by itself.");
        else
            ChangeReport.Write(context.Report, result, request.DryRun, summary: true);
        return ExitCode.Done;
    }
}
