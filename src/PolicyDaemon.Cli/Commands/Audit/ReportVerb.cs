using System.CommandLine;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Reports;
using PolicyDaemon.Cli.Commands.Program;
using PolicyDaemon.Cli.Files;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Pages.Reports;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Audit;

/// <summary><c>report</c>: what was changed, by whom and why, and what stands now, in one file that can be mailed.</summary>
internal static class ReportVerb
{
    private const string Moments = "90m, 2h, 7d, 2026-11-23 or 2026-11-23T08:00";

    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.OptionalKey("One entry, whatever became of it; without it all of them");
        var html = new Option<string?>("--html")
        {
            HelpName = "FILE", Description = "Where to write the report; a file that is there is replaced in one step. - is standard output",
        };
        var since = new Option<string?>("--since")
        {
            HelpName = "TIME", Description = "Only what was changed since: 2h, 7d, 2026-11-23 or 2026-11-23T08:00 (local time, or UTC with a final Z)",
        };
        var asOf = new Option<string?>("--as-of")
        {
            HelpName = "TIME", Description = "As it was then, and nothing of what happened later: the same bytes however often [default: now]",
        };
        var verb = new Verb("report", "Write what was changed, by whom and why, and what stands, as one HTML file to mail: no script, nothing to load.")
        {
            ExitCodes = "1 where the audit log is broken, which the report says first, or has nothing of that key or time",
            Examples =
            [
                ("policyctl report --html report.html", "Everything, as of now; print it, or mail it."),
                ("policyctl report --html november.html --since 2026-11-01", "What was changed in this month, and what stands at its end."),
                ("policyctl report --html example.html example.com", "One entry: its changes, its pins, their rotation."),
                ("policyctl report --html - --as-of 2026-11-23T12:00:00Z | sha256sum", "The same report whenever it is asked for."),
            ],
        };
        verb.Add(key);
        verb.Add(html);
        verb.Add(since);
        verb.Add(asOf);
        verb.SetAction(runner.Handle(context => Run(context, context.Get(html), context.Get(key), context.Get(since), context.Get(asOf))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, string? file, string? key, string? since, string? asOf)
    {
        if (string.IsNullOrEmpty(file))
            throw new CommandException(ExitCode.Usage, "report needs --html FILE, or --html - for standard output");
        if (context.Report.Format == OutputFormat.Json)
            throw new CommandException(ExitCode.Usage, "report writes HTML and no JSON; for JSON: policyctl audit --format json");
        var scope = Scope(context, key, since, asOf);
        using var store = context.OpenStore(StoreAccess.Read);
        var (version, _) = VersionVerb.Read(VersionVerb.Text);
        // The chain is verified before the first word is written: the first page says what came of it.
        using var progress = Progress.Start(context.Host, "verifying", store.Head().Sequence);
        var summary = AuditReport.Read(store, scope, progress, report =>
        {
            if (ExportFile.IsStandardOutput(file))
                ReportDocument.Write(context.Host.Out, report, version);
            else
                ExportFile.Replace(file, "report --html -", output => ReportDocument.Write(output, report, version));
            return report.Summary;
        });
        progress.Dispose();
        context.Host.Error.WriteLine(ShownText.Escape(summary.Verification.Problem is { } problem
            ? $"BROKEN: {problem}"
            : FormattableString.Invariant($"{Phrases.Count(summary.Changes, "change")}, {Phrases.Count(summary.Entries, "entry", "entries")}; the audit log is sound, its head hash {summary.Head.Hash}.")));
        return summary.Verification.IsSound ? ExitCode.Done : ExitCode.Negative;
    }

    private static ReportScope Scope(CommandContext context, string? key, string? since, string? asOf)
    {
        var now = context.Host.Time.GetUtcNow();
        var until = asOf is null ? now : Moment(context, "--as-of", asOf);
        if (until > now)
            throw new CommandException(ExitCode.Usage, $"--as-of takes a moment that has passed, not '{asOf}'");
        var from = since is null ? (DateTimeOffset?)null : Moment(context, "--since", since);
        if (from > until)
            throw new CommandException(ExitCode.Usage, $"--since is later than {(asOf is null ? "now" : "--as-of")}");
        return new ReportScope(
            key is null ? null : CommandContext.EntryKey(key), from is { } first ? WholeSeconds(first) : null, WholeSeconds(until), IsNow: asOf is null);
    }

    /// <exception cref="CommandException">It is no time.</exception>
    private static DateTimeOffset Moment(CommandContext context, string option, string text) =>
        Hosting.Moments.TryParse(text, context.Host.Time, out var moment)
            ? moment
            : throw new CommandException(ExitCode.Usage, $"{option} takes {Moments}, not '{text}'");

    // As the audit log keeps times.
    private static DateTimeOffset WholeSeconds(DateTimeOffset at) => DateTimeOffset.FromUnixTimeSeconds(at.ToUnixTimeSeconds());
}
