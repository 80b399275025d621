using System.CommandLine;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Cli.Commands.Stores;

/// <summary><c>store accept</c>: a person says that a replaced store is meant.</summary>
/// <remarks>policyd does not load a store whose audit log lacks the last row that it loaded; the old answers stay in force until then.</remarks>
internal static class StoreAccept
{
    internal static Command Create(CommandRunner runner)
    {
        var write = new WriteOptions();
        var verb = new Verb("accept", "Let policyd take over a store that was replaced, such as a restored backup. Takes a reason.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "5 where neither policyd nor its last good snapshot says what is in force",
            Examples =
            [
                ("policyctl store accept --dry-run", "Show which answers would change."),
                ("policyctl store accept --reason 'backup of Monday restored after the disk died'", "Take it over; the audit log keeps who did and why."),
            ],
        };
        write.AddTo(verb);
        verb.SetAction(runner.Handle(context => Run(context, write)));
        return verb;
    }

    private static ExitCode Run(CommandContext context, WriteOptions write)
    {
        var dryRun = context.Get(write.DryRun);
        var reason = context.Get(write.Reason);
        if (!dryRun && string.IsNullOrWhiteSpace(reason))
            throw new CommandException(ExitCode.Usage, "a replaced store is accepted with --reason \"why\"; see what would change with --dry-run");
        var (lastLoaded, snapshot) = LastLoaded(context);
        using var store = context.OpenStore(dryRun ? StoreAccess.Read : StoreAccess.Write);
        if (store.StoreId == lastLoaded.StoreId && store.VerifyAudit(lastLoaded.Hash.Length > 0 ? lastLoaded.Hash : null).IsSound)
        {
            context.Report.Note($"{store.Path} is the store that policyd knows; there is nothing to accept.");
            return ExitCode.Done;
        }

        var changes = snapshot is null ? [] : Differences(snapshot, store, context.Settings.Postfix);
        ChangeReceipt? receipt = null;
        if (!dryRun)
        {
            using var change = store.BeginChange(new ChangeOrigin(context.Host.Actor(), context.CommandLine, reason));
            change.Accept(lastLoaded);
            receipt = change.Commit();
            context.Host.Journal.Note(receipt.ChangeId, context.Host.Actor(), receipt.Head.Hash, context.CommandLine);
        }

        ChangeReport.Write(context.Report, changes, [], receipt, dryRun, summary: true);
        return ExitCode.Done;
    }

    /// <summary>What is in force: what the running daemon says, else its last good snapshot.</summary>
    private static (SnapshotIdentity Identity, PolicySnapshot? Snapshot) LastLoaded(CommandContext context)
    {
        var settings = context.Settings;
        if (LastGoodSnapshot.TryRead(settings.Snapshot, out var last, out var reason))
            return (last.Snapshot.Identity, last.Snapshot);
        if (DaemonStatusFile.TryRead(settings.StatusFile)?.Snapshot is { } said)
            return (new SnapshotIdentity(said.StoreId, said.Sequence, said.Hash, settings.Postfix.FingerprintDigest, settings.Postfix.Version), null);
        throw new CommandException(
            ExitCode.Invalid,
            $"there is nothing that this store replaces: {reason ?? $"{settings.Snapshot} does not exist"}; a policyd without a last good snapshot loads the store as it is");
    }

    private static List<ReportedChange> Differences(PolicySnapshot snapshot, PolicyStore store, PostfixSettings postfix)
    {
        var before = snapshot.Entries.ToDictionary(entry => entry.Key, entry => entry.Answer, StringComparer.Ordinal);
        var changes = new List<ReportedChange>();
        foreach (var destination in store.List())
        {
            var answer = PolicyText.Answer(destination, postfix, MapName.TlsPolicy);
            if (!before.Remove(destination.Key.Text, out var was))
                changes.Add(new ReportedChange(destination.Key.Text, "add", null, answer, []));
            else if (was != answer)
                changes.Add(new ReportedChange(destination.Key.Text, "change", was, answer, []));
        }

        changes.AddRange(before.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(gone => new ReportedChange(gone.Key, "remove", gone.Value, null, [])));
        return changes;
    }
}
