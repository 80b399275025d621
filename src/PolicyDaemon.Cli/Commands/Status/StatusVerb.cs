using System.CommandLine;
using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Setup.Postfix;
using PolicyDaemon.Cli.Text;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary><c>status</c>: works with and without a running daemon, and with a store that does not.</summary>
internal static class StatusVerb
{
    internal static Command Create(CommandRunner runner)
    {
        var verb = new Verb("status", "Show the daemon, what it answers from, what the store holds, and open findings.")
        {
            Columns = ["name", "value (one line for each fact; findings as 'finding' with kind, subject, detail and remedy)"],
            ExitCodes = "3 where policyd does not run, 4 or 5 where the store cannot be used",
            Examples =
            [
                ("policyctl status", "Is everything as it should be, and what happens to mail?"),
                ("policyctl status --format json", "The same for a monitoring system."),
            ],
        };
        verb.SetAction(runner.Handle(Run));
        return verb;
    }

    private static ExitCode Run(CommandContext context)
    {
        var status = StatusReport.Gather(context.Settings, context.Host.Time);
        var report = context.Report;
        if (report.Format == OutputFormat.Json)
        {
            report.Json(StatusJson.From(status), CliJson.Default.StatusJson);
        }
        else
        {
            var facts = Facts(status, status.Counts is { Observed: > 0 } ? OlderTables.Behind(context) : []);
            if (report.Format == OutputFormat.Tsv)
            {
                facts.AddRange(status.Findings.Select(finding => (
                    "finding", new Cell($"{finding.Kind} {finding.Subject}: {finding.Detail}; {string.Concat(FindingText.Keys(finding).Select(line => line + "; "))}{finding.Remedy}"))));
                report.Facts(facts, default!, CliJson.Default.StatusJson);
            }
            else
            {
                report.Facts(facts);
                Findings(report, status);
            }
        }

        if (status.StoreProblem is { } problem)
            return Failures.TryDescribe(problem, out var failure) ? failure.Code : ExitCode.Invalid;
        return status.Running == false ? ExitCode.DaemonNotRunning : ExitCode.Done;
    }

    private static void Findings(Report report, StatusReport status)
    {
        report.Line();
        if (status.Findings.Count == 0)
        {
            report.Line("No open findings.", Tone.Good);
            return;
        }

        report.Line(status.Findings.Count == 1 ? "1 open finding:" : string.Create(CultureInfo.InvariantCulture, $"{status.Findings.Count} open findings:"), Tone.Caution);
        foreach (var finding in status.Findings)
        {
            report.Line(
                $"{finding.Kind}  {finding.Subject}  since {UtcTime.Text(finding.Since)} ({FindingText.Age(status.At - finding.Since)})"
                + (finding.Affects > 1 ? string.Create(CultureInfo.InvariantCulture, $", {finding.Affects} destinations") : ""), Tone.Heading);
            report.Paragraph(finding.Detail, 2);
            foreach (var line in FindingText.Keys(finding))
                report.Line("  " + line);
            report.Line("  settle it: " + finding.Remedy);
        }
    }

    private static List<(string Name, Cell Value)> Facts(StatusReport status, IReadOnlyList<string> older)
    {
        var facts = new List<(string, Cell)> { ("daemon", Daemon(status)), ("mail", DeliveryCounts.Of(status)) };
        if (status.Live is { } live)
        {
            facts.Add(("listening", string.Join(", ", live.Endpoints)));
            if (live.Snapshot is { } snapshot)
                facts.Add(("snapshot", string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Phrases.Count(snapshot.Destinations, "destination")} up to row {snapshot.Sequence} of the audit log, from the {snapshot.Source}, since {UtcTime.Text(snapshot.LoadedAt)}")));
            var counters = live.Counters;
            facts.Add(("lookups", string.Create(
                CultureInfo.InvariantCulture,
                $"{counters.Found} found, {counters.NotFound} not found, {counters.Temporary} temporary, {counters.Permanent} permanent, {counters.NearMisses} near misses")));
            if (live.LogLinesDropped > 0)
                facts.Add(("log", new Cell(
                    string.Create(CultureInfo.InvariantCulture, $"{live.LogLinesDropped} lines dropped: nobody read it, or it could not be written"), Tone.Caution)));
        }

        if (status.Live?.Prober is { } prober)
            facts.AddRange(ProberFacts.Of(prober));
        if (status.Live?.Discovery is { } discovery)
            facts.Add(("discovery", ProberFacts.Of(discovery)));
        facts.Add(("store", status.StoreProblem is { } problem ? new Cell(problem.Message, Tone.Bad) : Store(status)));
        if (status.Counts is { } counts)
        {
            facts.Add(("levels", Join(counts.ByLevel.OrderBy(level => level.Key).Select(level => (level.Key.Name(), level.Value)))));
            facts.Add(("verdicts", VerdictText.Counts(status.Enforced, counts.Destinations - counts.Observed)));
            if (counts.Observed > 0)
                facts.Add(("observed", VerdictText.Counts(status.Observed, counts.Observed)
                    + (status.Observed.Count == 0 ? "" : "; " + VerdictText.Enforcing(status.Observed))
                    + (older.Count == 0 ? "" : $"; until then {string.Join(" and ", older)} of smtp_tls_policy_maps decides about their mail (policyctl setup)")));
            facts.Add(("pins", Join(counts.PinsByState.OrderBy(state => state.Key).Select(state => (state.Key.Name(), state.Value)))));
        }

        return facts;
    }

    private static Cell Daemon(StatusReport status) => status switch
    {
        { Running: false } => new Cell("not running", Tone.Bad),
        { Live: null, Running: true, Daemon: { } last } => new Cell(
            $"running, but it has not written {status.Settings.StatusFile} since {UtcTime.Text(last.WrittenAt)}; its log says why", Tone.Caution),
        { Live: null } => new Cell($"cannot be told: {status.Settings.StatusFile} is not there, or you may not read it", Tone.Caution),
        { Live: { } live } => new Cell(
            string.Create(CultureInfo.InvariantCulture, $"running, process {live.ProcessId}, version {live.Version}, since {UtcTime.Text(live.StartedAt)}"), Tone.Good),
    };

    private static Cell Store(StatusReport status) => new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{status.Settings.Database}: {Phrases.Count(status.Counts!.Destinations, "destination")} ({status.Counts.Observed} only observed), audit log at row {status.Head!.Value.Sequence}")
        + (status.OnlyRead is { } reason ? $"; {reason.Message}" : ""),
        status.OnlyRead is null ? Tone.Plain : Tone.Bad);

    private static string Join(IEnumerable<(string Name, long Count)> counts)
    {
        var text = string.Join(", ", counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Count} {count.Name}")));
        return text.Length > 0 ? text : "none";
    }
}
