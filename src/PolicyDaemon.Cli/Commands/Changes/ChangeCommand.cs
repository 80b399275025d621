using System.CommandLine;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Setup.Postfix;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Changes;

/// <summary>The options of every command that writes.</summary>
internal sealed class WriteOptions
{
    private const double MostPatience = 3600;

    public Option<bool> DryRun { get; } = new("--dry-run", "-n")
    {
        Description = "Check everything and show the answers before and after, but change nothing",
    };

    public Option<string?> Reason { get; } = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why; kept in the audit log. Required where the change weakens anything",
    };

    public Option<double?> Wait { get; } = new("--wait")
    {
        HelpName = "SECONDS",
        Description = "Return once the running daemon answers from the change, at most so long; 3 where none runs, 6 where the time is up",
    };

    public Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "Say nothing but what went wrong" };

    /// <summary>The options that judge a change; not those about the change once it is made.</summary>
    public void AddDecisionTo(Command command)
    {
        command.Add(Reason);
        command.Add(DryRun);
    }

    public void AddTo(Command command)
    {
        AddDecisionTo(command);
        command.Add(Wait);
        command.Add(Quiet);
    }

    /// <summary>How long the daemon is waited for; null for not at all.</summary>
    /// <exception cref="CommandException">It is no time.</exception>
    public TimeSpan? Patience(CommandContext context) => context.Get(Wait) switch
    {
        null => null,
        >= 0 and <= MostPatience and var seconds => TimeSpan.FromSeconds(seconds),
        _ => throw new CommandException(ExitCode.Usage, FormattableString.Invariant($"--wait takes seconds, from 0 to {MostPatience}")),
    };

    /// <summary>Who asks, how and why.</summary>
    /// <exception cref="CommandException">The reason is empty.</exception>
    public ChangeRequest Request(CommandContext context)
    {
        var reason = context.Get(Reason);
        return reason is null || !string.IsNullOrWhiteSpace(reason)
            ? new ChangeRequest(context.Host.Actor(), context.CommandLine, reason, context.Get(DryRun))
            : throw new CommandException(ExitCode.Usage, "--reason is empty; say why, in your own words");
    }
}

/// <summary>What every command that writes does: make the change and show it.</summary>
/// <remarks>Making ends with the commit, and what comes behind it takes nothing back: no fault or Ctrl-C there may be told as if nothing were stored.</remarks>
internal static class ChangeCommand
{
    /// <param name="plan">What the command wants, given the store as it is.</param>
    /// <param name="cancellation">Ends the waiting for the daemon; what is written stays.</param>
    /// <param name="summary">True for bulk work, whose report on a terminal is a count once it is done.</param>
    /// <param name="saysEach">True where a warning that many keys have in common is said of each.</param>
    internal static Task<ExitCode> RunAsync(
        CommandContext context, WriteOptions options, Func<StoreView, IReadOnlyCollection<PlannedChange>> plan, CancellationToken cancellation,
        bool summary = false, bool saysEach = false)
    {
        _ = options.Patience(context);
        return FinishAsync(context, options, Make(context, options.Request(context) with { SaysEach = saysEach }, plan, summary), summary, cancellation);
    }

    /// <summary>Plans and commits; what it throws changed nothing.</summary>
    internal static ChangeResult Make(
        CommandContext context, ChangeRequest request, Func<StoreView, IReadOnlyCollection<PlannedChange>> plan, bool summary)
    {
        using var progress = new Progress(context.Host, "writing");
        return new ChangeFlow(context.Settings, context.Host.Time, context.Host.Journal).Run(request with { IsBulk = summary, Progress = progress }, plan);
    }

    /// <summary>Shows what was made and waits for the daemon where that is asked for. Of a change that is made it throws nothing that is expected.</summary>
    /// <param name="then">What the command says besides; null for nothing.</param>
    internal static async Task<ExitCode> FinishAsync(
        CommandContext context, WriteOptions options, ChangeResult result, bool summary, CancellationToken cancellation, Action? then = null)
    {
        var dryRun = context.Get(options.DryRun);
        try
        {
            if (!context.Get(options.Quiet))
            {
                Show(context, options, result, dryRun, summary);
                then?.Invoke();
            }

            return dryRun || options.Patience(context) is not { } patience ? ExitCode.Done : await WaitAsync(context, result, patience, cancellation);
        }
        catch (OperationCanceledException) when (!dryRun)
        {
            context.Host.Error.WriteLine("policyctl: interrupted; it is stored, and only the waiting for policyd ended. See: policyctl status");
            return ExitCode.Inconclusive;
        }
        catch (Exception fault) when (!dryRun && Failures.TryDescribe(fault, out var failure))
        {
            context.Host.Error.WriteLine("policyctl: it is stored; what came after that failed:");
            failure.Write(context.Host.Error);
            return ExitCode.Inconclusive;
        }
    }

    private static void Show(CommandContext context, WriteOptions options, ChangeResult result, bool dryRun, bool summary)
    {
        ChangeReport.Write(context.Report, result, dryRun, summary || result.Keys.Count > ChangeFlow.ManyKeys);
        NoteObserved(context, result);
        // Who waits for it is told so at the end of that.
        if (!dryRun && result.ChangeId is not null && context.Get(options.Wait) is null && DaemonAbsence.Of(context.Settings, context.Host.Time) is { } absence)
            context.Report.Note(absence);
        if (dryRun && context.Get(options.Reason) is null && result.Weakens)
            context.Report.Note("This will need --reason.");
    }

    private static async Task<ExitCode> WaitAsync(CommandContext context, ChangeResult result, TimeSpan patience, CancellationToken cancellation)
    {
        long sequence;
        string storeId;
        using (var store = context.OpenStore(StoreAccess.Read))
            (sequence, storeId) = (result.Receipt is { ChangeId: not 0 } receipt ? receipt.Head.Sequence : store.Head().Sequence, store.StoreId);
        switch (await ServedWait.RunAsync(context.Settings, context.Host.Time, storeId, sequence, patience, cancellation))
        {
            case ServedOutcome.Served:
                return ExitCode.Done;
            case ServedOutcome.Elsewhere:
                context.Host.Error.WriteLine($"policyctl: it is stored; {LocalDaemon.Elsewhere(context.Settings, storeId)}, so there is nothing to wait for");
                return ExitCode.DaemonNotRunning;
            case ServedOutcome.NotRunning:
                context.Host.Error.WriteLine($"policyctl: it is stored, and policyd does not run: it is served once that is started ({DaemonAbsence.Start})");
                return ExitCode.DaemonNotRunning;
            default:
                context.Host.Error.WriteLine(FormattableString.Invariant(
                    $"policyctl: it is stored, and policyd did not serve it within {patience.TotalSeconds} s; see: policyctl status"));
                return ExitCode.Inconclusive;
        }
    }

    /// <summary>Who has just written a policy takes it to be in force.</summary>
    private static void NoteObserved(CommandContext context, ChangeResult result)
    {
        var report = context.Report;
        var observed = result.Keys.Count(key => key.IsOnlyObserved);
        if (observed == 0)
            return;
        var one = result.Keys.First(key => key.IsOnlyObserved).Key;
        var unready = result.Keys.Count(key => key.IsOnlyObserved && key.CannotBeEnforced);
        var digest = context.Settings.Postfix.FingerprintDigest.Name();
        var told = observed == 1
            ? $"{one} is only observed, not enforced: Postfix is told nothing of it. "
            : FormattableString.Invariant($"{observed} entries are only observed, not enforced: Postfix is told nothing of them. ");
        var subject = observed == 1 ? Shell.Quote(one) : "KEY";
        var enforce = $"policyctl domain set {subject} --enforce";
        report.Note(told + (unready, observed) switch
        {
            (0, 1) => $"To enforce it: {enforce}",
            (0, _) => $"To enforce one: {enforce}",
            (_, 1) => $"It has no pin in {digest} that could be served; a probe carries over what the server shows: policyctl probe {subject}; then: {enforce}",
            _ when unready == observed => $"None of them has a pin in {digest} that could be served; a probe carries over what the servers show: policyctl probe --all; to enforce one that has: {enforce}",
            _ => FormattableString.Invariant($"{unready} of them have no pin in {digest} that could be served; a probe carries over what the servers show: policyctl probe --all; to enforce one that has: {enforce}"),
        });
        if (OlderTables.Behind(context) is { Count: > 0 } tables)
            report.Note(OlderTables.Sentence(observed == 1 ? one : "such an entry", tables));
    }
}
