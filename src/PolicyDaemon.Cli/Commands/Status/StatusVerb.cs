using System.CommandLine;
using System.CommandLine.Completions;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Commands.Servers;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Setup.Postfix;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary><c>status</c>: what needs a person, then the machinery; with and without a running daemon, and with a store that does not work.</summary>
internal static class StatusVerb
{
    private sealed record Options(Argument<string?> Key, Option<string?> Kind, Option<bool> All, Option<bool> Watch, Option<bool> Check);

    internal static Command Create(CommandRunner runner)
    {
        var options = new Options(
            Arguments.OptionalKey("Only what concerns this destination, in full"),
            new Option<string?>("--kind") { HelpName = "KIND", Description = "Only findings of this kind, in full, such as new-key" },
            new Option<bool>("--all") { Description = "Every finding in full, and everything that is counted" },
            new Option<bool>("--watch") { Description = "Stay, and show it anew every two seconds; any key ends it" },
            new Option<bool>("--check") { Description = "One line with performance data for Nagios or Icinga, and their exit status" });
        options.Kind.CompletionSources.Add(_ => FindingKinds.All.Select(row => new CompletionItem(row.Name, detail: row.Meaning)));
        var verb = new Verb("status", "Show what needs a person, the worst first, then the daemon, what it answers from, and what the store holds.")
        {
            Columns = [.. StatusRows.Columns, "(with --all: name, value, one line for each fact)"],
            ExitCodes = "3 where policyd does not run, 4 or 5 where the store or the configuration cannot be used; with --check 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN",
            Examples =
            [
                ("policyctl status", "Is everything as it should be, and what happens to mail?"),
                ("policyctl status example.com", "What is open about one destination, with the command that settles it?"),
                ("policyctl status --kind new-key", "Every new key, with what was expected and what was seen."),
                ("policyctl status --check", "The same for Nagios: one line and an exit status."),
                ("policyctl status --format json", "The same for a program."),
            ],
        };
        verb.Add(options.Key);
        verb.Add(options.Kind);
        verb.Add(options.All);
        verb.Add(options.Watch);
        verb.Add(options.Check);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, options, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, Options options, CancellationToken cancellation)
    {
        if (context.Get(options.Check))
        {
            if (context.Get(options.Key) is not null || context.Get(options.Kind) is not null || context.Get(options.All) || context.Get(options.Watch))
                throw new CommandException(ExitCode.Usage, "--check tells the whole in one line; leave the other options and the key out");
            return StatusCheck.Run(context);
        }

        var filter = Filter(context, options, out var subjects, out var nobodys);
        if (!context.Get(options.Watch))
            return Show(context, context.Report, filter, subjects, nobodys, context.Get(options.All), () => MailQueue.Read(context.Host));
        if (!context.Host.OutIsTerminal || !context.Host.InIsTerminal || !context.Report.IsTable)
            throw new CommandException(ExitCode.Usage, "--watch takes a terminal to draw on and to be ended from; in a script ask again: policyctl status");
        var queue = MailQueue.Remembered(context.Host.Postfix, context.Host.Time);
        return await StatusWatch.RunAsync(context, report => Show(context, report, filter, subjects, nobodys, context.Get(options.All), queue), cancellation);
    }

    private static Func<FindingJson, bool>? Filter(CommandContext context, Options options, out HashSet<string>? subjects, out string? nobodys)
    {
        nobodys = null;
        _ = context.ReadUsable();
        var (word, kind) = (context.Get(options.Key), context.Get(options.Kind));
        if (kind is not null && !FindingKinds.TryParse(kind, out _))
            throw FindingText.Unknown(kind);

        // The entry * is the subject of its findings, and no log shows it.
        var about = word is null ? null : word == "*" ? [word] : Subjects(context, LoggedKeys.Key(context, word), out nobodys);
        subjects = about;
        return about is null && kind is null
            ? null
            : finding => (kind is null || finding.Kind == kind) && (about is null || about.Contains(finding.Subject) || FindingText.IsConfiguration(finding));
    }

    /// <summary>Under which keys the findings about a destination stand: its own, and that of the entry that decides about its mail, be it a parent's.</summary>
    /// <param name="nobodys">The key where no entry decides about it; otherwise null.</param>
    private static HashSet<string> Subjects(CommandContext context, NextHop key, out string? nobodys)
    {
        nobodys = null;
        try
        {
            using var store = PolicyStore.Open(context.Settings.Database, StoreAccess.Read, context.Host.Time);
            var rule = Explanation.Of(key, store, context.Settings, context.Host.Time.GetUtcNow()).Rule;
            // One that is only observed decides about nothing, and is there.
            nobodys = rule is null && store.FindInForce(key) is null ? key.Text : null;
            return [key.Text, .. rule is null ? (string[])[] : [rule.Key.Text]];
        }
        catch (StoreException)
        {
            // The report says why; any parent may have the entry.
            return [.. key.LookupChain().Select(asked => asked.Text)];
        }
    }

    private static ExitCode Show(CommandContext context, Report report, Func<FindingJson, bool>? filter, HashSet<string>? subjects, string? nobodys, bool isAll, Func<WaitingMail?> queue)
    {
        // The screen has a line for each cause; everything else has the findings one by one.
        var isScreen = report.IsTable && !isAll && filter is null;
        var (status, mail) = SeenStatus.Gather(
            context, queue, new FindingReading { Lists = isScreen ? null : filter ?? (_ => true), MostCauses = StatusScreen.MostCauses });
        var findings = status.Findings;
        switch (report.Format)
        {
            case OutputFormat.Json:
                report.Json(StatusJson.From(status, findings, mail), CliJson.Default.StatusJson);
                break;
            case OutputFormat.Tsv:
                if (isAll && filter is null)
                {
                    var facts = StatusFacts.All(status, Older(context, status));
                    if (mail is not null)
                        facts.Add(("waiting", $"{mail.Messages}{(mail.IsWhole ? "" : " at least")}"));
                    report.Facts(facts, default!, CliJson.Default.StatusJson);
                    break;
                }

                if (MailEffect.NeedsPerson(status))
                    report.Note(MailEffect.Of(status));
                if (status.StoreProblem is { } fault)
                    report.Note(fault.Message);
                StatusRows.Write(report, findings, mail);
                break;
            default:
                if (filter is not null)
                    StatusScreen.WriteSome(report, status, findings, subjects, mail, subjects is null ? [] : Evidence(context, subjects));
                else if (isAll)
                    StatusScreen.WriteAll(report, status, StatusFacts.All(status, Older(context, status)), mail);
                else
                    StatusScreen.Write(report, status, mail);
                break;
        }

        if (status.StoreProblem is { } problem)
            return Failures.TryDescribe(problem, out var failure) ? failure.Code : ExitCode.Invalid;
        if (status.Running == false)
            return ExitCode.DaemonNotRunning;
        if (context.ReadUsable().Count > 0)
            return ExitCode.Invalid;
        if (nobodys is null || findings.Count > 0)
            return ExitCode.Done;
        // A mistyped key must not read as one about which all is well.
        report.Note($"{nobodys} has no entry, and none decides about it; what is answered: policyctl explain {Shell.Quote(nobodys)}");
        return ExitCode.Negative;
    }

    /// <summary>What settles new keys of these destinations without a person.</summary>
    private static List<string> Evidence(CommandContext context, IEnumerable<string> subjects)
    {
        try
        {
            using var store = PolicyStore.Open(context.Settings.Database, StoreAccess.Read, context.Host.Time);
            return
            [
                .. subjects.Select(subject => NextHop.TryParse(subject, out var key, out _) ? store.FindInForce(key) : null).OfType<Destination>()
                    .Select(entry => (entry.Key, Evidence: SettlingEvidence.Of(store, entry, context.Settings, context.Host.Time.GetUtcNow())))
                    .Where(one => one.Evidence is not null).Select(one => $"{one.Key}: {one.Evidence!.Sentence}"),
            ];
        }
        catch (StoreException)
        {
            // The report says why.
            return [];
        }
    }

    private static IReadOnlyList<string> Older(CommandContext context, StatusReport status) =>
        status.Counts is { Observed: > 0 } ? OlderTables.Behind(context) : [];
}
