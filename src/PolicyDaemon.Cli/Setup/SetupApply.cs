using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Setup.Checks;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup.Clients;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Setup;

/// <summary><c>setup --apply</c>: shows what changes in main.cf, makes it, and says how to take it back.</summary>
internal static class SetupApply
{
    // A name that nobody configures (RFC 6761 section 6.4).
    private const string AnyKey = "setup.invalid";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    internal static MainCfChange Prepare(CommandContext context, SetupSubject subject) =>
        MainCfChange.Prepare(context.Host.Postfix, subject.Postfix, SetupPlan.Of(subject));

    /// <returns>False where nothing was changed because it was only to be shown.</returns>
    /// <exception cref="CommandException">Postfix would be sent to a daemon that does not answer, or refused the change.</exception>
    internal static bool Run(CommandContext context, MainCfChange change, bool dryRun)
    {
        var report = context.Report;
        if (change.IsEmpty)
        {
            report.Note("Nothing to change in main.cf.");
            return !dryRun;
        }

        foreach (var line in change.Diff)
            report.Note(line);
        if (dryRun)
            return false;

        // Without an answer all mail would wait.
        if (change.Changes("smtp_tls_policy_maps"))
        {
            RequireDaemon(context);
            RequireNewestChange(context);
        }

        var copy = change.Make(context.Host.Time);
        context.Host.Done();
        report.Note($"Done; main.cf as it was: {copy}. To take this back:");
        foreach (var line in change.WayBack)
            report.Note("    " + line);
        return true;
    }

    /// <summary>An entry that was written a moment ago may not be served yet, and Postfix would be told "not found" for it.</summary>
    private static void RequireNewestChange(CommandContext context)
    {
        long sequence;
        string storeId;
        using (var store = context.OpenStore(StoreAccess.Read))
            (sequence, storeId) = (store.Head().Sequence, store.StoreId);
        // Whoever may not read how the daemon is has an answer of it at least.
        if (ServedWait.RunAsync(context.Settings, context.Host.Time, storeId, sequence, Patience, CancellationToken.None).GetAwaiter().GetResult() == ServedOutcome.NotInTime)
            throw new CommandException(
                ExitCode.Inconclusive, "policyd does not serve the newest changes of the store yet. Nothing was changed; see: policyctl status");
    }

    /// <summary>True where somebody answers on the socket that Postfix is sent to.</summary>
    internal static bool IsAnswered(CommandContext context) => Ask(context).Result.Status == QueryStatus.Answered;

    private static void RequireDaemon(CommandContext context)
    {
        var (endpoint, result) = Ask(context);
        if (result.Status != QueryStatus.Answered)
            throw new CommandException(
                ExitCode.DaemonNotRunning, $"{result.Message.TrimEnd('.', '?')}. Nothing was changed: with a daemon that does not answer all mail would wait. Start it: systemctl start policyd");
        if (result.Answer.Kind != LookupAnswerKind.NotFound)
            throw new CommandException(
                ExitCode.Inconclusive, $"policyd answers {endpoint} with an error ({result.Answer.Text}). Nothing was changed; see: policyctl status");
    }

    private static (MapEndpoint Endpoint, QueryResult Result) Ask(CommandContext context)
    {
        var settings = context.Settings;
        var (protocol, value) = settings.Socketmap.IsEmpty
            ? (MapProtocol.TcpTable, settings.TcpTable.FirstOrDefault())
            : (MapProtocol.Socketmap, settings.Socketmap[0]);
        if (value is null || !MapEndpoint.TryParse(protocol, value.Text, out var endpoint, out _))
            throw new CommandException(ExitCode.Invalid, "no listener is configured that Postfix could ask; see [lookup] in policydaemon.conf(5)");
        var asked = protocol == MapProtocol.Socketmap
            ? SocketmapClient.AskAsync(endpoint, MapName.TlsPolicy.Name(), AnyKey, Patience, context.Host.Time, CancellationToken.None)
            : TcpTableClient.AskAsync(endpoint, AnyKey, Patience, context.Host.Time, CancellationToken.None);
        return (endpoint, asked.GetAwaiter().GetResult());
    }
}

/// <summary>The edits of main.cf that <c>setup --apply</c> makes: those that settle problems.</summary>
internal static class SetupPlan
{
    // Each round settles one problem; there are fewer checks than this.
    private const int MostRounds = 32;

    /// <summary>Settles one problem after the other, each on top of the ones before, as a person would who runs setup again and again.</summary>
    /// <remarks>Warnings and notes are a person's choice. A problem whose command is no edit of main.cf is left to a person too.</remarks>
    internal static IReadOnlyList<MainCfEdit> Of(SetupSubject subject)
    {
        var plan = new Dictionary<string, MainCfEdit>(StringComparer.Ordinal);
        var tried = new HashSet<MainCfEdit>();
        for (var round = 0; round < MostRounds; round++)
        {
            var edits = SetupChecks.Run(subject)
                .Where(result => result.Severity == SetupSeverity.Problem)
                .Select(result => result.Steps.Select(step => step.Edit).OfType<MainCfEdit>().Where(edit => !tried.Contains(edit)).ToList())
                .FirstOrDefault(found => found.Count > 0);
            if (edits is null)
                break;
            foreach (var edit in edits)
            {
                // A value that did not help, or that another check wants back, is not tried again.
                tried.Add(edit);
                plan[edit.Parameter] = edit;
                subject = subject with { Postfix = subject.Postfix.With(edit) };
            }
        }

        return [.. plan.Values];
    }
}
