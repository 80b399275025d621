using System.CommandLine;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Cli.Commands.Stores;

/// <summary><c>backup</c></summary>
internal static class BackupVerb
{
    internal static Command Create(CommandRunner runner)
    {
        var file = new Argument<string>("FILE") { Description = "The copy; must not exist yet" };
        var verb = new Verb("backup", "Write a consistent copy of the store while everything runs.")
        {
            Columns = ["file", "bytes", "head (of the audit log)"],
            Examples =
            [
                ("policyctl backup /var/backups/policy-$(date +%F).db", "A copy for every day."),
                ("policyctl --database /var/backups/policy-2026-11-23.db domain list", "Look into a copy."),
            ],
        };
        verb.Add(file);
        verb.SetAction(runner.Handle(context => Run(context, context.Get(file)!)));
        return verb;
    }

    /// <summary>A store of an older version is brought up to date first, unless nobody can write it: then it is copied as it lies.</summary>
    private static PolicyStore Open(CommandContext context)
    {
        try
        {
            return context.OpenStore(StoreAccess.Write);
        }
        catch (StoreException fault) when (fault.Kind is StoreFault.ReadOnly or StoreFault.Full or StoreFault.Moved)
        {
            return context.OpenStore(StoreAccess.Read);
        }
    }

    private static ExitCode Run(CommandContext context, string file)
    {
        CommandContext.RequireDirectory(Path.GetFullPath(file));
        using var store = Open(context);
        using (Progress.Start(context.Host, "copying", store.Count()))
            store.Backup(file);
        context.Host.Done();
        using var copy = PolicyStore.Open(file, StoreAccess.Read, context.Host.Time);
        var size = new FileInfo(file).Length;
        var head = copy.Head();
        if (context.Report.IsTable)
        {
            context.Report.Line(FormattableString.Invariant($"{file}: {size} bytes, audit log up to row {head.Sequence}, head {head.Hash}"));
            return ExitCode.Done;
        }

        var table = new Table("file", "bytes", "head");
        table.Add(file, FormattableString.Invariant($"{size}"), head.Hash);
        context.Report.Rows(table, new BackupJson(file, size, head.Sequence, head.Hash), CliJson.Default.BackupJson);
        return ExitCode.Done;
    }
}
