using System.CommandLine;
using PolicyDaemon.Administration;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;

namespace PolicyDaemon.Cli.Commands.Stores;

/// <summary><c>store migrate</c>: from a file of this machine to a server, and back.</summary>
internal static class StoreMigrate
{
    private const string Server = "postgresql";

    internal static Command Create(CommandRunner runner)
    {
        var write = new WriteOptions();
        var to = new Option<string?>("--to")
        {
            HelpName = "postgresql|FILE",
            Description = "postgresql: the server that the key postgresql names; also postgresql:WORDS, or a file that does not exist yet",
        };
        var takeBack = new Option<bool>("--take-back")
        {
            Description = "Use a store again that was moved, since the one it was moved to is lost. Takes a reason",
        };
        var verb = new Verb("migrate", "Take the store to a PostgreSQL server, or from there to a file. It is read, and mail answered from it, all the while.")
        {
            Columns = ["from", "to", "store_id", "destinations", "sequence", "head (of the audit log)"],
            ExitCodes = "5 where something is there already, or the store was moved before",
            Examples =
            [
                ("policyctl store migrate --to /tmp/policy-here.db --dry-run", "Could it be moved there, and how much is it?"),
                ("policyctl store migrate --to /tmp/policy-here.db", "From wherever it is to a file of this machine."),
                ("policyctl store migrate --take-back --reason 'the server is lost' --dry-run", "Is it a store that was moved, and could be used again?"),
            ],
        };
        verb.Add(to);
        verb.Add(takeBack);
        write.AddDecisionTo(verb);
        verb.SetAction(runner.Handle(context => Run(context, write, context.Get(to), context.Get(takeBack))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, WriteOptions write, string? to, bool takeBack)
    {
        if (takeBack == to is not null)
            throw new CommandException(ExitCode.Usage, "name a place with --to, or use a store again with --take-back");
        var request = write.Request(context);
        return takeBack ? TakeBack(context, request.Reason, request.DryRun) : Move(context, Place(context, to!), request.Reason, request.DryRun);
    }

    private static ExitCode Move(CommandContext context, string to, string? reason, bool dryRun)
    {
        var from = context.Settings.Database;
        if (to == from)
            throw new CommandException(ExitCode.Usage, $"{to}: the store is there already");
        if (dryRun)
        {
            var would = StoreMigration.Try(from, to);
            context.Report.Note(FormattableString.Invariant($"{Phrases.Count(would.Destinations, "entry", "entries")} and {would.Head.Sequence} rows of the audit log would be moved from {from} to {to}. Nothing was changed (--dry-run)."));
            return ExitCode.Done;
        }

        StoreMove moved;
        using (var counted = context.OpenStore(Store.Engines.StoreAccess.Read))
        using (Progress.Start(context.Host, "moving", counted.Count()))
            moved = StoreMigration.Run(from, to, Origin(context, reason ?? $"moved here from {from}"), context.Host.Time);
        context.Host.Done();
        var receipt = moved.Receipt!;
        context.Host.Journal.Note(receipt.ChangeId, context.Host.Actor(), receipt.Head.Hash, context.CommandLine);
        var head = receipt.Head;
        Write(context, new MigrationJson(from, to, moved.StoreId, moved.Destinations, head.Sequence, head.Hash), report =>
        {
            report.Line(FormattableString.Invariant($"{Phrases.Count(moved.Destinations, "entry", "entries")} and the audit log up to row {moved.Head.Sequence}, head {moved.Head.Hash}, are at {to} now."));
            report.Line($"{from} is marked as moved: it is read on, and written no more.");
            report.Line(NextCommand.Line(PostgreSqlWords.IsNamedBy(to)
                ? $"on every machine, with the user of its own, [store] engine = postgresql, postgresql = {to[PostgreSqlWords.Prefix.Length..]} in the configuration, then systemctl restart policyd"
                : $"on this machine [store] engine = sqlite, database = {to} in the configuration, then systemctl restart policyd; other machines answer from what they have, and learn of no change any more"));
        });
        return ExitCode.Done;
    }

    private static ExitCode TakeBack(CommandContext context, string? reason, bool dryRun)
    {
        var database = context.Settings.Database;
        if (reason is null)
            throw new CommandException(ExitCode.Usage, "to use a store again that was moved takes a reason: --reason \"why\"");
        if (dryRun)
        {
            StoreMigration.TryTakeBack(database);
            context.Report.Note($"The store {database} would be used again. Nothing was changed (--dry-run).");
            return ExitCode.Done;
        }

        var receipt = StoreMigration.TakeBack(database, Origin(context, reason), context.Host.Time);
        context.Host.Done();
        context.Host.Journal.Note(receipt.ChangeId, context.Host.Actor(), receipt.Head.Hash, context.CommandLine);
        using var store = context.OpenStore(Store.Engines.StoreAccess.Read);
        Write(context, new MigrationJson(database, null, store.StoreId, store.Count(), receipt.Head.Sequence, receipt.Head.Hash), report =>
        {
            report.Line($"The store {database} is used again. What was changed where it had been moved to is not in it.");
            report.Line(NextCommand.Line("policyctl store accept --dry-run, where policyd had loaded the other one"));
        });
        return ExitCode.Done;
    }

    private static void Write(CommandContext context, MigrationJson result, Action<Report> table)
    {
        if (context.Report.IsTable)
        {
            table(context.Report);
            return;
        }

        var rows = new Table("from", "to", "store_id", "destinations", "sequence", "head");
        rows.Add(
            result.From, result.To ?? "", result.StoreId, FormattableString.Invariant($"{result.Destinations}"), FormattableString.Invariant($"{result.Sequence}"), result.Head);
        context.Report.Rows(rows, result, CliJson.Default.MigrationJson);
    }

    private static ChangeOrigin Origin(CommandContext context, string reason) => new(context.Host.Actor(), context.CommandLine, reason);

    /// <exception cref="CommandException">It names no place.</exception>
    private static string Place(CommandContext context, string to)
    {
        if (to == Server)
            return context.Settings.Server ?? throw new CommandException(ExitCode.Invalid, "which server? Add postgresql = host=... dbname=... to [store] of the configuration, or name it: --to 'postgresql:host=... dbname=...'");
        if (!PostgreSqlWords.IsNamedBy(to))
            return Path.GetFullPath(to);
        return PostgreSqlWords.TryParse(to[PostgreSqlWords.Prefix.Length..], out _, out var reason) ? to : throw new CommandException(ExitCode.Usage, $"--to: {reason}");
    }
}
