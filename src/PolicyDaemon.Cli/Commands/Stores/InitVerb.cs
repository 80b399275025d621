using System.CommandLine;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Setup;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Cli.Commands.Stores;

/// <summary><c>init</c>: the store comes to be only here, never by accident.</summary>
internal static class InitVerb
{
    internal static Command Create(CommandRunner runner)
    {
        var dryRun = new Option<bool>("--dry-run", "-n") { Description = "Say whether a store would be created, but create none" };
        var words = new Option<string?>("--postgresql")
        {
            HelpName = "WORDS",
            Description = "On this server, in the words of the key postgresql, in place of the configured store",
        };
        var verb = new Verb("init", "Create the store. An existing one keeps what is in it; one of an older version is brought up to date.")
        {
            Columns = ["store", "created (yes or no)", "store_id", "upgraded (yes or no)"],
            Examples =
            [
                ("policyctl init", "Create the configured store, and its directory if need be."),
                ("policyctl init --database /tmp/try.db", "Create a store to try things with."),
                ("policyctl init --dry-run --postgresql 'dbname=policydaemon user=policydaemon'", "Is there a store in this database of the server on this machine?"),
            ],
        };
        verb.Add(words);
        verb.Add(dryRun);
        verb.SetAction(runner.Handle(context => Run(context, PathOf(context, words), context.Get(dryRun))));
        return verb;
    }

    /// <exception cref="CommandException">The words cannot be used.</exception>
    private static string PathOf(CommandContext context, Option<string?> option)
    {
        if (context.Get(option) is not { } words)
            return context.Settings.Database;
        return PostgreSqlWords.TryParse(words, out _, out var reason)
            ? PostgreSqlWords.Prefix + words
            : throw new CommandException(ExitCode.Usage, $"--postgresql: {reason}");
    }

    private static ExitCode Run(CommandContext context, string path, bool dryRun)
    {
        if (dryRun && !StorePlace.Exists(path))
        {
            context.Report.Note($"The store {path} would be created. Nothing was changed (--dry-run).");
            return ExitCode.Done;
        }

        var (created, upgraded) = (true, false);
        var isPrepared = StorePlace.IsPrepared(path);
        PolicyStore store;
        try
        {
            store = dryRun ? throw new StoreException(StoreFault.Exists, path) : PolicyStore.Create(path, context.Host.Actor(), context.Host.Time);
        }
        catch (StoreException exists) when (exists.Kind == StoreFault.Exists)
        {
            // Opening it tells a store from any other file that happens to lie there.
            created = false;
            try
            {
                store = PolicyStore.Open(path, StoreAccess.Read, context.Host.Time);
            }
            catch (StoreException older) when (older.Kind == StoreFault.Older && !PostgreSqlWords.IsNamedBy(path))
            {
                if (dryRun)
                {
                    context.Report.Note($"The store {path} would be brought up to date. Nothing was changed (--dry-run).");
                    return ExitCode.Done;
                }

                store = PolicyStore.Open(path, StoreAccess.Write, context.Host.Time);
                upgraded = true;
                context.Host.Done();
            }
        }

        using (store)
        {
            var report = context.Report;
            if (created)
                context.Host.Journal.Note(1, context.Host.Actor(), store.Head().Hash, context.CommandLine);
            if (report.IsTable)
            {
                report.Line(
                    created ? $"The store {path} is ready{(isPrepared ? ", in the tables that were there" : "")}."
                    : upgraded ? $"The store {path} is brought up to date; nothing in it was changed."
                    : $"The store {path} is there already; nothing was changed.");
                if (created && context.Settings.Database != path)
                    report.Line($"Next: [store] in the configuration of every machine: engine = postgresql, and postgresql = {path[PostgreSqlWords.Prefix.Length..]}");
                else if (created)
                    report.Line(NextCommand.Line(NextStep.OfThisMachine(context) ?? "policyctl domain add KEY --level LEVEL, or policyctl import --dry-run FILE"));
                return ExitCode.Done;
            }

            var table = new Table("store", "created", "store_id", "upgraded");
            table.Add(path, created ? "yes" : "no", store.StoreId, upgraded ? "yes" : "no");
            report.Rows(table, new InitJson(path, created, store.StoreId, upgraded), CliJson.Default.InitJson);
            return ExitCode.Done;
        }
    }
}
