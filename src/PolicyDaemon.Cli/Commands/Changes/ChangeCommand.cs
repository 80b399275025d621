using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Cli.Commands.Changes;

/// <summary>The options of every command that writes.</summary>
internal sealed class WriteOptions
{
    public Option<bool> DryRun { get; } = new("--dry-run", "-n")
    {
        Description = "Check everything and show the answers before and after, but change nothing",
    };

    public Option<string?> Reason { get; } = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why; kept in the audit log. Required where the change weakens anything",
    };

    public void AddTo(Command command)
    {
        command.Add(Reason);
        command.Add(DryRun);
    }

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
internal static class ChangeCommand
{
    /// <param name="plan">What the command wants, given the store as it is.</param>
    /// <param name="summary">True for bulk work, whose report on a terminal is a count once it is done.</param>
    internal static ExitCode Run(
        CommandContext context, WriteOptions options, Func<StoreView, IReadOnlyList<PlannedChange>> plan, bool summary = false)
    {
        var request = options.Request(context);
        ChangeResult result;
        using (var progress = new Progress(context.Host, "writing"))
        {
            result = new ChangeFlow(context.Settings, context.Host.Time, context.Host.Journal)
                .Run(request with { IsBulk = summary, Progress = progress }, plan);
        }

        ChangeReport.Write(context.Report, result, request.DryRun, summary);
        NoteObserved(context.Report, result);
        if (request is { DryRun: true, Reason: null } && result.Weakens)
            context.Report.Note("This weakens what is enforced now and will need --reason.");
        return ExitCode.Done;
    }

    /// <summary>Who has just written a policy takes it to be in force.</summary>
    private static void NoteObserved(Report report, ChangeResult result)
    {
        var observed = result.Keys.Where(key => key.IsOnlyObserved).Select(key => key.Key).ToList();
        if (observed.Count == 0)
            return;
        report.Note(observed.Count == 1
            ? $"{observed[0]} is only observed, not enforced: Postfix is told nothing of it. To enforce it: policyctl domain set {Shell.Quote(observed[0])} --enforce"
            : FormattableString.Invariant($"{observed.Count} entries are only observed, not enforced: Postfix is told nothing of them. To enforce one: policyctl domain set KEY --enforce"));
    }
}
