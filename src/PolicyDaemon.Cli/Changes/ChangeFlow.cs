using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Changes;

/// <summary>The way of every change: plan, refuse what cannot be served or weakens without a reason, write, note, show.</summary>
/// <param name="summary">True for bulk work, whose report on a terminal is a count once it is done.</param>
internal sealed class ChangeFlow(CommandContext context, WriteOptions options, bool summary = false)
{
    private readonly PostfixSettings postfix = context.Settings.Postfix;
    private readonly string? reason = context.Get(options.Reason);
    private readonly bool dryRun = context.Get(options.DryRun);

    /// <param name="plan">What the command wants, given the store as it is.</param>
    internal ExitCode Run(Func<StoreView, IReadOnlyList<PlannedChange>> plan)
    {
        if (reason is not null && string.IsNullOrWhiteSpace(reason))
            throw new CommandException(ExitCode.Usage, "--reason is empty; say why, in your own words");
        using var store = context.OpenStore(dryRun ? StoreAccess.Read : StoreAccess.Write);
        if (dryRun)
        {
            Write(new StoreView(store, null), null, plan);
            return ExitCode.Done;
        }

        if (summary)
            store.PrepareForBulk();
        using var change = store.BeginChange(new ChangeOrigin(context.Host.Actor(), context.CommandLine, reason));
        Write(new StoreView(store, change), change, plan);
        return ExitCode.Done;
    }

    private void Write(StoreView view, StoreChange? change, Func<StoreView, IReadOnlyList<PlannedChange>> plan)
    {
        var keys = plan(view).Select(planned => Judge(view, planned)).ToList();
        RefuseUnservable(keys);
        var unexplained = keys.Where(key => key.Weakens.Count > 0).ToList();
        if (reason is null && unexplained.Count > 0 && !dryRun)
            throw NeedsReason(unexplained);

        var present = keys.Where(key => key.Planned.After is not null).Select(key => key.Planned.Key).ToHashSet();
        var warnings = ChangeWarnings.Merge(keys.SelectMany(key => ChangeWarnings.Of(key, view.Store, postfix, present)), summary);
        ChangeReceipt? receipt = null;
        if (change is not null)
        {
            using var progress = Progress.Start(context.Host, "writing", keys.Count);
            foreach (var key in keys)
            {
                Put(change, key);
                progress.Step();
            }

            receipt = change.Commit();
            if (receipt.ChangeId != 0)
                context.Host.Journal.Note(receipt.ChangeId, context.Host.Actor(), receipt.Head.Hash, context.CommandLine);
        }

        ChangeReport.Write(context.Report, [.. keys.Select(key => key.Reported)], warnings, receipt, dryRun, summary);
        NoteObserved(keys);
        if (dryRun && reason is null && unexplained.Count > 0)
            context.Report.Note("This weakens what is enforced now and will need --reason.");
    }

    /// <summary>Who has just written a policy takes it to be in force.</summary>
    private void NoteObserved(List<JudgedChange> keys)
    {
        var observed = keys.Where(key => key.Planned is { After.Observe: true, Action: not "none" }).Select(key => key.Planned.Key.Text).ToList();
        if (observed.Count == 0)
            return;
        context.Report.Note(observed.Count == 1
            ? $"{observed[0]} is only observed, not enforced: Postfix is told nothing of it. To enforce it: policyctl domain set {Shell.Quote(observed[0])} --enforce"
            : FormattableString.Invariant($"{observed.Count} entries are only observed, not enforced: Postfix is told nothing of them. To enforce one: policyctl domain set KEY --enforce"));
    }

    private JudgedChange Judge(StoreView view, PlannedChange planned) => new(
        planned,
        Answer(planned.Before),
        Answer(planned.After),
        planned.After is null ? [] : PolicyRules.Problems(planned.Before, planned.After, postfix),
        planned.Action == "none" ? [] : [.. planned.Weakens, .. Weakening.Of(planned.Before, planned.After, postfix, view.Find)]);

    private LookupAnswer? Answer(Destination? destination) =>
        destination is null ? null : PolicyText.Answer(destination, postfix, MapName.TlsPolicy);

    private void Put(StoreChange change, JudgedChange key)
    {
        if (key.Planned.After is null)
            change.Remove(key.Planned.Key, key.Before?.ToDisplayString());
        else
            change.Put(key.Planned.After, key.Before?.ToDisplayString(), key.After?.ToDisplayString(), key.Planned.Evidence);
    }

    private static void RefuseUnservable(List<JudgedChange> keys)
    {
        var refused = keys.Where(key => key.Problems.Count > 0).ToList();
        if (refused.Count == 0)
            return;
        var details = refused.SelectMany(key => key.Problems.Select(problem => $"{key.Name}: {problem}")).ToList();
        throw new CommandException(
            ExitCode.Invalid,
            refused.Count == 1
                ? $"{refused[0].Planned.Key} cannot be served like this; nothing was changed"
                : $"{refused.Count} entries cannot be served like this; nothing was changed",
            details);
    }

    private static CommandException NeedsReason(List<JudgedChange> keys) => new(
        ExitCode.Usage,
        "this weakens what is enforced now, so it needs --reason \"why\"; nothing was changed",
        [.. keys.SelectMany(key => key.Weakens.Select(weakening => $"{key.Name}: {weakening}"))]);

}
