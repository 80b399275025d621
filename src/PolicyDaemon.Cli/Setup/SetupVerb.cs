using System.CommandLine;
using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Setup.Checks;
using PolicyDaemon.Cli.Setup.Postfix;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Cli.Setup;

/// <summary><c>setup</c>: reads the real Postfix configuration and says what does not fit; with <c>--apply</c> makes main.cf fit.</summary>
internal static class SetupVerb
{
    internal static Command Create(CommandRunner runner)
    {
        var postfix = new Option<string?>("--postfix") { HelpName = "DIR", Description = "Postfix's configuration directory [default: its own]" };
        var apply = new Option<bool>("--apply") { Description = "Settle the problems that postconf -e settles, after a copy of main.cf; then postfix reload" };
        var dryRun = new Option<bool>("--dry-run", "-n") { Description = "With --apply: show what would change in main.cf, but change nothing" };
        var verb = new Verb("setup", "Check the Postfix configuration and print the commands that make it fit. Changes nothing without --apply.")
        {
            Columns = ["severity", "check", "text", "commands (separated by ' ; ')"],
            ExitCodes = "1 where there is a problem, 5 where there is no Postfix",
            Examples =
            [
                ("policyctl setup", "What does this machine's Postfix need?"),
                ("policyctl setup --postfix /etc/postfix-out", "The same for another instance."),
                ("policyctl setup --apply --dry-run", "What would change in main.cf?"),
                ("policyctl setup --apply", "Change it; the commands that take it back are printed."),
            ],
        };
        verb.Add(postfix);
        verb.Add(apply);
        verb.Add(dryRun);
        verb.SetAction(runner.Handle(context => Run(context, context.Get(postfix), context.Get(apply), context.Get(dryRun))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, string? directory, bool apply, bool dryRun)
    {
        if (dryRun && !apply)
            throw new CommandException(ExitCode.Usage, "without --apply setup changes nothing anyway; add --apply to see what it would change");
        if (apply && !SetupApply.Run(context, Read(context, directory, subject => SetupApply.Prepare(context, subject)), dryRun))
            return ExitCode.Done;

        var (results, next, reload) = Read(context, directory, subject =>
        {
            var found = SetupChecks.Run(subject);
            if (PolicyMapCheck.AsksUs(subject) && Absence(context) is { } absence)
                found = [.. found, new SetupResult("daemon", SetupSeverity.Problem, absence, DaemonAbsence.Start)];
            return (found, NextStep.Of(subject, found), subject.Postfix.ReloadCommand);
        });
        var report = context.Report;
        if (report.Format == OutputFormat.Json)
        {
            report.Json([.. results.Select(SetupResultJson.From)], CliJson.Default.IReadOnlyListSetupResultJson);
        }
        else if (report.Format == OutputFormat.Tsv)
        {
            var table = new Table("severity", "check", "text", "commands");
            foreach (var result in results)
                table.Add(result.Severity.Name(), result.Check, result.Text, string.Join(" ; ", result.Commands));
            report.Rows(table, [], CliJson.Default.IReadOnlyListSetupResultJson);
        }
        else
        {
            Show(report, results, reload);
        }

        if (next is not null)
            report.Note(NextCommand.Line(next));

        return results.Any(result => result.Severity == SetupSeverity.Problem) ? ExitCode.Negative : ExitCode.Done;
    }

    /// <summary>That Postfix asks a policyd which does not run; null where it runs, or answers, or where neither can be told.</summary>
    private static string? Absence(CommandContext context) =>
        DaemonAbsence.OfMachine(context.Settings.OfMachine ?? context.Settings) is { } absence && !SetupApply.IsAnswered(context) ? absence : null;

    /// <summary>Every check of a Postfix that was read already.</summary>
    internal static IReadOnlyList<SetupResult> Check(CommandContext context, PostfixConfiguration postfix, Settings settings) =>
        Judge(context, postfix, settings, SetupChecks.Run, warns: false);

    /// <summary>Reads Postfix's configuration, ours and the store, and hands them on.</summary>
    private static T Read<T>(CommandContext context, string? directory, Func<SetupSubject, T> use) =>
        Judge(context, PostfixConfigurationReader.Read(context.Host.Postfix.Postconf, directory), context.Settings, use, warns: true);

    private static T Judge<T>(CommandContext context, PostfixConfiguration postfix, Settings settings, Func<SetupSubject, T> use, bool warns)
    {
        PolicyStore? store = null;
        try
        {
            try
            {
                store = PolicyStore.Open(settings.Database, StoreAccess.Read, context.Host.Time);
                if (warns && store.OnlyRead is { } reason)
                    context.Report.Warning($"{reason.Message}; it is read as it lies");
            }
            catch (StoreException fault)
            {
                if (warns)
                    context.Report.Warning($"{fault.Message}; Postfix is checked without regard to the entries");
            }

            var counts = store?.Counts();
            var levels = counts?.ByLevel ?? new Dictionary<TlsLevel, long>();
            return use(new SetupSubject(postfix, settings, levels, key => store?.Find(key) is not null)
            {
                Older = [.. postfix.List(PolicyMapCheck.Parameter)
                    .Select(table => OlderTable.Read(table, context.Settings, key => store?.FindInForce(key), key => IsMet(store?.ReadProbeState(key)), context.Host.Time)).OfType<OlderTable>()],
                Observed = counts?.Observed ?? 0,
                FailoverRisk = store?.FailoverRisk,
                SelinuxEnforces = context.Host.SelinuxEnforces(),
            });
        }
        finally
        {
            store?.Dispose();
        }
    }

    /// <summary>Whether the last probe met a server; null where none was made.</summary>
    private static bool? IsMet(ProbeState? probed) => probed?.LastProbe is null ? null
        : probed.Addresses.Any(address => address is { Listed: true, History: { LastAttempt: not null } history } && !history.LastOutcome.IsOfTheWay());

    private static void Show(Report report, IReadOnlyList<SetupResult> results, string reload)
    {
        foreach (var result in results)
        {
            report.Block([(result.Severity.Name(), new Cell(result.Text, ToneOf(result.Severity)))], labels: 7, indent: 0);
            foreach (var command in result.Commands)
                report.Line("         " + command);
        }

        var problems = results.Count(result => result.Severity == SetupSeverity.Problem);
        report.Line();
        report.Line(problems == 0
            ? "Postfix fits."
            : FormattableString.Invariant($"{problems} {(problems == 1 ? "problem" : "problems")}. After postconf -e: {reload}"));
    }

    private static Tone ToneOf(SetupSeverity severity) => severity switch
    {
        SetupSeverity.Ok => Tone.Good,
        SetupSeverity.Warning => Tone.Caution,
        SetupSeverity.Problem => Tone.Bad,
        _ => Tone.Plain,
    };
}
