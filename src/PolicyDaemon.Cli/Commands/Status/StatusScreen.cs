using System.Collections.Immutable;
using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary>The screen that one looks at first: a line for each cause that needs a person, the worst first, then the machinery in a few lines.</summary>
internal static class StatusScreen
{
    /// <summary>Causes of one severity that have a line of their own: more than that nobody reads.</summary>
    internal const int MostCauses = 1_000;

    // With so few each has its command below it; thirty incidents fit on a screen as one line each.
    private const int MostWithCommands = 8;

    // What there is to say takes about so much.
    private const int RoomForGist = 60;

    internal static void Write(Report report, StatusReport status, WaitingMail? mail)
    {
        var open = status.Open!.Causes;
        var causes = open.Shown;
        var isTold = WriteTrouble(report, status, mail);
        if (Summary(open, mail, isTold) is { } summary)
            report.Line(summary, open.NeedPerson == 0 ? Tone.Good : open.Count(FindingSeverity.MailWaits) > 0 ? Tone.Bad : Tone.Caution);
        if (!causes.IsEmpty)
        {
            report.Line();
            Causes(report, causes, mail, status.At);
            if (open.NotShown > 0)
                report.Line(string.Create(CultureInfo.InvariantCulture, $"... and {open.NotShown} more: policyctl status --all"), Tone.Faint);
        }

        report.Line();
        report.Facts(StatusFacts.Short(status));
        if (!causes.IsEmpty)
        {
            report.Line();
            report.Line("In full: policyctl status --all (or KEY, or --kind KIND); what a kind means: policyctl explain finding KIND", Tone.Faint);
        }
    }

    /// <summary>Only some findings, in full, what ends by itself of the entries that they are about, and what settles their new keys by itself; behind what becomes of mail where the daemon or the store is the trouble.</summary>
    internal static void WriteSome(Report report, StatusReport status, IReadOnlyList<FindingJson> findings, IReadOnlySet<string>? subjects, WaitingMail? mail, IReadOnlyList<string> evidence)
    {
        if (WriteTrouble(report, status, mail))
        {
            if (status.StoreProblem is { } problem)
                report.Line(problem.Message, Tone.Bad);
            report.Line();
        }

        foreach (var entry in status.Temporary.Where(entry => subjects?.Contains(entry.Key.Text) == true))
            report.Line($"By --until {StatusFacts.Temporary(status, entry)}.", Tone.Caution);
        WriteFindings(report, status, findings, mail);
        foreach (var cause in StatusCause.Of(findings, mail).Where(cause => cause is { Kind: FindingKind.NewKey, Concerned.Length: > 1, MxHosts.IsEmpty: false }))
        {
            report.Line();
            report.Line($"{cause.Whom} show the same new key at {string.Join(", ", cause.MxHosts)}; one decision for all of them, after they are listed:");
            report.Line("  " + NextCommand.Settles + $"policyctl pin approve {Shell.Quote(cause.First.Subject)} --everywhere");
        }

        foreach (var line in evidence)
            report.Line(line, Tone.Caution);
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
        foreach (var finding in findings.OrderByDescending(FindingText.IsConfiguration).ThenBy(FindingText.Severity).ThenBy(finding => finding.Since).ThenBy(finding => finding.Subject, StringComparer.Ordinal))
        {
            report.Line(
                $"{finding.Kind}  {finding.Subject}  {Phrase(FindingText.Severity(finding))}, since {UtcTime.Text(finding.Since)} ({FindingText.Age(status.At - finding.Since)})"
                + (finding.Affects > 1 ? string.Create(CultureInfo.InvariantCulture, $", {finding.Affects} destinations") : ""), ToneOf(FindingText.Severity(finding)));
            report.Paragraph(finding.Detail, 2);
            foreach (var line in FindingText.Keys(finding))
                report.Line("  " + line);
            if (StatusCause.Of([finding], mail) is [{ Mail: { } waiting }])
                report.Paragraph(mail!.Sentence(waiting), 2);
            report.Line("  " + NextCommand.Settles + finding.Remedy);
        }
    }

    /// <summary>What the state of daemon and store does to mail, where that is not as it should be, and how much of it waits.</summary>
    /// <returns>False where all is well with them.</returns>
    private static bool WriteTrouble(Report report, StatusReport status, WaitingMail? mail)
    {
        if (!MailEffect.NeedsPerson(status))
            return false;
        var isStopped = status.Running == false || status.Live is { Snapshot: null };
        var effect = (isStopped || status.Live is not null || status.Elsewhere is not null ? "" : "what becomes of mail ") + MailEffect.Of(status);
        report.Line(mail is not null && isStopped ? $"{Capital(mail.InAll())}. {effect}" : effect, isStopped || MailEffect.IsOfLastGood(status) ? Tone.Bad : Tone.Caution);
        return true;
    }

    private static string Capital(string sentence) => char.ToUpperInvariant(sentence[0]) + sentence[1..];

    /// <returns>Null where there is nothing to say beside the trouble that was told.</returns>
    private static string? Summary(OpenCauses causes, WaitingMail? mail, bool isTroubleTold)
    {
        var open = causes.NeedPerson;
        var information = causes.Count(FindingSeverity.ForInformation);
        var rest = information == 0 ? "" : $"; {Phrases.Count(information, "thing")} {(information == 1 ? "is" : "are")} for information";
        if (open == 0)
            return !isTroubleTold ? $"Nothing needs a person{rest}." : information == 0 ? null : $"Nothing else needs a person{rest}.";
        var text = $"{Phrases.Count(open, "thing")} {(open == 1 ? "needs" : "need")} a person{rest}";
        if (causes.Count(FindingSeverity.MailWaits) > 0)
            text += $"; mail of {Phrases.Count(causes.DestinationsThatWait, "destination")} waits";
        return mail is not null && causes.Mail is { } all ? $"{text}: {mail.Sentence(all)}." : text + ".";
    }

    private static void Causes(Report report, ImmutableArray<StatusCause> causes, WaitingMail? mail, DateTimeOffset now)
    {
        // Where no mail is known to wait its column would only take room from what there is to say.
        var waiting = causes.Select(cause => Waiting(cause, mail, now)).ToList();
        var waits = waiting.Exists(text => text.Length > 0);
        var table = new Table(["mail", "whom", "since", .. waits ? (string[])["waiting"] : [], "what"]) 
        {
            CutsLast = true, Spare = ["since", "waiting"], LastBelowUnder = causes.Length <= MostWithCommands ? RoomForGist : 0,
        };
        for (var i = 0; i < causes.Length; i++)
        {
            var cause = causes[i];
            table.Add(
            [
                new Cell(Phrase(cause.Severity), ToneOf(cause.Severity)), Phrases.Cut(cause.Whom, 40), Age(now - cause.Since), .. waits ? (Cell[])[waiting[i]] : [],
                $"{cause.Kind.Name()}: {Phrases.Cut(cause.Gist, 300)}",
            ]);
        }

        // The worst has its command even then: whoever is called over waiting mail begins with it.
        report.Aligned(table, below: row => row == 0 || causes.Length <= MostWithCommands ? "    " + causes[row].Remedy : null);
    }

    private static string Waiting(StatusCause cause, WaitingMail? mail, DateTimeOffset now)
    {
        if (mail is null || cause.Mail is not { } count)
            return "";
        var number = string.Create(CultureInfo.InvariantCulture, $"{(mail.IsWhole ? "" : ">=")}{count.Messages}");
        return mail.Returned(count) is { } end ? $"{number}, {(end > now ? Age(end - now) + " left" : "being returned")}" : number;
    }

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
