using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Setup.Checks;
using PolicyDaemon.Cli.Setup.Postfix;

namespace PolicyDaemon.Cli.Setup;

/// <summary>The one command that a migration goes on with, printed by the command before it, see <see cref="NextCommand"/>.</summary>
/// <remarks>In this order: the rows of older tables come in, entries are enforced, main.cf is changed, the tables are taken out.</remarks>
internal static class NextStep
{
    /// <returns>Null where nothing is left to do.</returns>
    internal static string? Of(SetupSubject subject, IReadOnlyList<SetupResult> results)
    {
        var maps = subject.Postfix.List(PolicyMapCheck.Parameter);
        var older = maps.Select(subject.OlderOf).OfType<OlderTable>().ToList();
        if (OlderTableText.Steps(older) is [var first, ..])
            return first.Text;
        if (SetupPlan.Of(subject).Count > 0)
            return "policyctl setup --apply";
        if (results.FirstOrDefault(result => result is { Severity: SetupSeverity.Problem, Commands.Count: > 0 }) is { } problem)
            return problem.Commands[0];
        var settled = OlderTables.Behind(subject.Postfix, subject.Settings).Where(table => subject.OlderOf(table) is { IsSettled: true }).ToList();
        return settled.Count == 0
            ? null
            : subject.Postfix.SetCommand(PolicyMapCheck.Parameter, string.Join(", ", maps.Where(table => !settled.Contains(table)))).Text
                + $" && {subject.Postfix.ReloadCommand} && policyctl setup";
    }

    /// <summary>What follows a change that took over rows or enforced entries: setup, where this machine's Postfix does not ask us yet, or an older table too.</summary>
    internal static string? OfThisMachine(CommandContext context)
    {
        try
        {
            var postfix = PostfixConfigurationReader.Read(context.Host.Postfix.Postconf, null);
            var maps = postfix.List(PolicyMapCheck.Parameter);
            var asksUs = maps.Select(PolicyMap.TryParse).Any(map => map?.IsServedBy(context.Settings, postfix.QueueDirectory) == true);
            return asksUs && !maps.Any(table => OlderTable.SourceOf(table) is not null) ? null : "policyctl setup";
        }
        catch (CommandException)
        {
            // No Postfix here, or none that may be read.
            return null;
        }
    }
}
