using System.CommandLine;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Commands.Stores;

/// <summary><c>store upgrade</c>: brings the tables of a store on a server up to date, once for all machines.</summary>
internal static class StoreUpgrade
{
    internal static Command Create(CommandRunner runner)
    {
        var dryRun = new Option<bool>("--dry-run", "-n") { Description = "Do it and take it back: say whether it would work, but change nothing" };
        var verb = new Verb("upgrade", "Bring the store up to date after an upgrade; on a server that is once for all machines.")
        {
            Columns = ["store", "from (schema)", "to (schema)"],
            ExitCodes = "4 where the user may not alter the tables; 6 where somebody holds the store, or a machine runs a version that could not read it any more",
            Examples =
            [
                ("policyctl store upgrade --dry-run", "Is it up to date, and would an upgrade work now?"),
                ("policyctl store upgrade", "Bring it up to date."),
            ],
        };
        verb.Add(dryRun);
        verb.SetAction(runner.Handle(context => Run(context, context.Get(dryRun))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, bool dryRun)
    {
        var path = context.Settings.Database;
        var change = StorePlace.Upgrade(path, dryRun);
        if (!dryRun && change.From != change.To)
            context.Host.Done();
        if (context.Report.IsTable)
        {
            context.Report.Line(
                change.From == change.To ? FormattableString.Invariant($"The store {path} is up to date, schema {change.To}.")
                : dryRun ? FormattableString.Invariant($"The store {path} would be brought up to date, from schema {change.From} to {change.To}. Nothing was changed (--dry-run).")
                : FormattableString.Invariant($"The store {path} is brought up to date, from schema {change.From} to {change.To}; nothing in it was changed."));
            return ExitCode.Done;
        }

        var table = new Table("store", "from", "to");
        table.Add(path, FormattableString.Invariant($"{change.From}"), FormattableString.Invariant($"{change.To}"));
        context.Report.Rows(table, new UpgradeJson(path, change.From, change.To), CliJson.Default.UpgradeJson);
        return ExitCode.Done;
    }
}
