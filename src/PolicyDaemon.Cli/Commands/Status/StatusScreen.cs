using System.Collections.Immutable;
using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary>The screen that one looks at first: a line for each cause that needs a person, the worst first, then the machinery in a few lines.</summary>
internal static class StatusScreen
{
    // With so few each has its command below it; thirty incidents fit on a screen as one line each.
    private const int MostWithCommands = 8;

    internal static void Write(Report report, StatusReport status, WaitingMail? mail)
    {
        var causes = StatusCause.Of(status.Findings, mail);
        if (causes.IsEmpty)
            report.Line("Nothing needs a person.", status.Running == false || status.StoreProblem is not null ? Tone.Plain : Tone.Good);
        else
        {
            report.Line(Summary(causes, mail), causes[0].Severity == FindingSeverity.MailWaits ? Tone.Bad : Tone.Caution);
            report.Line();
            Causes(report, causes, mail, status.At);
        }

        report.Line();
        report.Facts(StatusFacts.Short(status));
        if (!causes.IsEmpty)
        {
            report.Line();
            report.Line("In full: policyctl status --all, policyctl status KEY, or --kind KIND; what a kind means: policyctl explain finding KIND", Tone.Faint);
        }
    }

    /// <summary>Everything: the facts, and each finding in full.</summary>
    internal static void WriteAll(Report report, StatusReport status, IReadOnlyList<(string Name, Cell Value)> facts, WaitingMail? mail)
    {
        report.Facts(facts);
        report.Line();
        WriteFindings(report, status, status.Findings, mail);
    }

    /// <summary>Findings in full, the worst first, with the commands that settle them.</summary>
    internal static void WriteFindings(Report report, StatusReport status, IReadOnlyList<FindingJson> findings, WaitingMail? mail)
    {
        if (findings.Count == 0)
        {
            report.Line("No open findings.", Tone.Good);
            return;
        }

        report.Line($"{Phrases.Count(findings.Count, "open finding")}:", Tone.Caution);
        foreach (var finding in findings.OrderBy(Severity).ThenBy(finding => finding.Since).ThenBy(finding => finding.Subject, StringComparer.Ordinal))
        {
            report.Line(
                $"{finding.Kind}  {finding.Subject}  {Phrase(Severity(finding))}, since {UtcTime.Text(finding.Since)} ({FindingText.Age(status.At - finding.Since)})"
                + (finding.Affects > 1 ? string.Create(CultureInfo.InvariantCulture, $", {finding.Affects} destinations") : ""), ToneOf(Severity(finding)));
            report.Paragraph(finding.Detail, 2);
            foreach (var line in FindingText.Keys(finding))
                report.Line("  " + line);
            if (StatusCause.Of([finding], mail) is [{ Mail: { } waiting }])
                report.Paragraph(mail!.Sentence(waiting), 2);
            report.Line("  " + NextCommand.Settles + finding.Remedy);
        }
    }

    /// <summary>A finding in one line, for programs.</summary>
    internal static string Line(FindingJson finding) =>
        $"{finding.Kind} {finding.Subject}: {finding.Detail}; {string.Concat(FindingText.Keys(finding).Select(line => line + "; "))}{finding.Remedy}";

    private static string Summary(ImmutableArray<StatusCause> causes, WaitingMail? mail)
    {
        var waits = causes.Where(cause => cause.Severity == FindingSeverity.MailWaits).ToList();
        var text = $"{Phrases.Count(causes.Length, "thing")} {(causes.Length == 1 ? "needs" : "need")} a person";
        if (waits.Count > 0)
            text += $"; mail of {Phrases.Count(waits.Sum(cause => cause.Destinations), "destination")} waits";
        var counts = causes.Select(cause => cause.Mail).OfType<WaitingCount>().ToList();
        if (mail is null || counts.Count == 0)
            return text + ".";
        var all = counts.Aggregate(WaitingCount.Add);
        return $"{text}: {mail.Sentence(all)}.";
    }

    private static void Causes(Report report, ImmutableArray<StatusCause> causes, WaitingMail? mail, DateTimeOffset now)
    {
        var table = new Table("mail", "whom", "since", "waiting", "what") { CutsLast = true, Spare = ["since", "waiting"] };
        foreach (var cause in causes)
        {
            table.Add(
                new Cell(Phrase(cause.Severity), ToneOf(cause.Severity)), Phrases.Cut(cause.Whom, 40), Age(now - cause.Since), Waiting(cause, mail, now),
                $"{cause.Kind.Name()}: {Phrases.Cut(cause.Detail, 300)}");
        }

        if (causes.Length > MostWithCommands)
        {
            report.Aligned(table);
            return;
        }

        report.Aligned(table, below: row => "    " + causes[row].Remedy);
    }

    private static string Waiting(StatusCause cause, WaitingMail? mail, DateTimeOffset now)
    {
        if (mail is null || cause.Mail is not { } count)
            return "";
        var number = string.Create(CultureInfo.InvariantCulture, $"{(mail.IsWhole ? "" : ">=")}{count.Messages}");
        return mail.Returned(count) is { } end ? $"{number}, {(end > now ? Age(end - now) + " left" : "being returned")}" : number;
    }

    private static FindingSeverity Severity(FindingJson finding) =>
        FindingSeverities.TryParse(finding.Severity, out var severity) ? severity : FindingSeverity.LookAtIt;

    private static string Phrase(FindingSeverity severity) => severity switch
    {
        FindingSeverity.MailWaits => "waits",
        FindingSeverity.MailWillWait => "will wait",
        FindingSeverity.LookAtIt => "look at it",
        _ => "goes on",
    };

    private static Tone ToneOf(FindingSeverity severity) => severity switch
    {
        FindingSeverity.MailWaits => Tone.Bad,
        FindingSeverity.MailWillWait => Tone.Caution,
        FindingSeverity.LookAtIt => Tone.Heading,
        _ => Tone.Plain,
    };

    private static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays}d"),
        { TotalHours: >= 2 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalHours}h"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalMinutes}m"),
        _ => "now",
    };
}
