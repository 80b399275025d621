using System.CommandLine;
using System.CommandLine.Completions;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Commands.Discovery;
using PolicyDaemon.Cli.Commands.Servers;
using PolicyDaemon.Cli.Commands.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Setup.Postfix;
using PolicyDaemon.Cli.Text;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Lookups;

/// <summary><c>explain</c>: from the store, so it also works while policyd is down.</summary>
internal static class ExplainVerb
{
    private const string FindingWord = "finding";

    internal static Command Create(CommandRunner runner)
    {
        var key = new Argument<string[]>("KEY")
        {
            HelpName = "KEY | finding [KIND]",
            Description = "The next hop as Postfix sees it: example.com, [mx.example.com]:587; what a log shows: user@example.com, mx.example.com[192.0.2.1]:25, a queue id; or the word finding and a kind, such as finding new-key, alone for all of them",
            Arity = new ArgumentArity(1, 2),
        };
        key.CompletionSources.Add(context => context.ParseResult.Tokens.Any(token => token.Value == FindingWord)
            ? FindingKinds.All.Select(row => new CompletionItem(row.Name, detail: row.Meaning))
            : []);
        var verb = new Verb("explain", "Say what Postfix is told for a next hop, why, and what that does to mail now; or what a kind of finding means.")
        {
            Columns = ["key", "asked (yes or no)", "decides (yes or no)", "answer", "why"],
            ExitCodes = "1 where Postfix finds no policy and uses smtp_tls_security_level; 6 where it is told a temporary error",
            Examples =
            [
                ("policyctl explain sub.example.com", "The keys that Postfix asks for in order, and the one that decides."),
                ("policyctl explain '[mx.example.com]:587'", "A relay: brackets and port make another key."),
                ("policyctl explain finding new-key", "What it means, what becomes of mail, what to do, what to tell the partner."),
                ("policyctl explain finding", "Every kind."),
                ("policyctl query sub.example.com", "What the running daemon says, for comparison."),
            ],
        };
        verb.Add(key);
        verb.SetAction(runner.Handle(context => Run(context, key)));
        return verb;
    }

    private static ExitCode Run(CommandContext context, Argument<string[]> key)
    {
        var words = context.Get(key)!;
        if (words is [FindingWord])
            return FindingExplanation.List(context);
        if (words is [FindingWord, var kind])
            return FindingExplanation.Write(context, kind);
        if (words.Length > 1)
            throw new CommandException(ExitCode.Usage, $"explain takes one KEY, or finding KIND; '{words[1]}' is too much. In a shell quote brackets: '[mx.example.com]'");
        return Run(context, LoggedKeys.Key(context, words[0]));
    }

    private static ExitCode Run(CommandContext context, NextHop nextHop)
    {
        var postfix = context.Settings.Postfix;
        using var store = context.OpenStore(StoreAccess.Read);
        var now = context.Host.Time.GetUtcNow();
        var explanation = Explanation.Of(nextHop, store, context.Settings, now);
        var known = explanation.Decisive?.Answering is { } entry ? PinProbeState.Read(store, entry) : PinProbeState.None;
        var observed = explanation.Keys.FirstOrDefault(asked => asked is { Asked: true, Entry.Observe: true })?.Entry;
        var observedState = observed is null ? null : store.ReadProbeState(observed.Key);
        var report = context.Report;
        var mail = MailQueue.Read(context.Host);
        if (report.Format == OutputFormat.Json)
            report.Json(Json(context, explanation, observed, known, now, mail, Open(store, explanation)), CliJson.Default.ExplainJson);
        else if (report.Format == OutputFormat.Tsv)
        {
            report.Rows(Walk(explanation), default!, CliJson.Default.ExplainJson);
            if (DaemonAbsence.Of(context.Settings, context.Host.Time) is { } absence)
                report.Note(absence);
        }
        else
        {
            var advice = explanation.Decisive is { } decisive ? FindingText.Advice(store, decisive.Key) : [];
            var open = Worst(store, explanation);
            var evidence = explanation.Decisive?.Answering is { } pinned ? SettlingEvidence.Of(store, pinned, context.Settings, now) : null;
            Show(context, explanation, context.Settings, known, (observed, observedState), mail, (open, evidence), advice);
            if (explanation.Keys[0].Discovered is { } discovered)
            {
                report.Line();
                report.Line($"discovery of {discovered.Key}:", Tone.Heading);
                DiscoveryText.Write(report, discovered, context.Settings, discovered.Evidence?.Answers ?? [], now);
                report.Line();
                report.Line($"What DNS says now, and the policy host: policyctl discovery refresh {Shell.Quote(discovered.Key.Text)}");
            }

            if (open is not null && !open.Remedy.StartsWith("policyctl explain ", StringComparison.Ordinal))
                report.Note(NextCommand.Line(open.Remedy));
            foreach (var found in advice)
                report.Note(NextCommand.Line(found.Remedy));
        }

        return explanation.Answer.Kind switch
        {
            LookupAnswerKind.Found => ExitCode.Done,
            LookupAnswerKind.NotFound => ExitCode.Negative,
            _ => ExitCode.Inconclusive,
        };
    }

    /// <summary>What is open about the key that decides and the entry that answers, advice included.</summary>
    private static List<Finding> Open(PolicyStore store, Explanation explanation) =>
        [.. new[] { explanation.Decisive?.Key, explanation.Decisive?.Answering?.Key }.OfType<NextHop>().Distinct().SelectMany(store.OpenFindings).OrderBy(finding => finding.Severity)];

    /// <summary>What is open about the entry that answers, the gravest first; null where nothing is.</summary>
    private static Finding? Worst(PolicyStore store, Explanation explanation) => explanation.Decisive?.Answering is { } entry
        ? store.OpenFindings(entry.Key).Where(finding => !finding.Kind.Description().IsAdvice).OrderBy(finding => finding.Severity).FirstOrDefault()
        : null;

    private static void Show(
        CommandContext context, Explanation explanation, Settings settings, PinProbeState known, (Destination? Entry, ProbeState? Probed) observed,
        WaitingMail? queue, (Finding? Finding, SettlingEvidence? Evidence) open, IReadOnlyList<Finding> advice)
    {
        var report = context.Report;
        report.Line("Postfix asks, in this order, until one is found:", Tone.Heading);
        foreach (var key in explanation.Keys)
        {
            var mark = ReferenceEquals(key, explanation.Decisive) ? "=> " : "   ";
            report.Facts([(mark + key.Key.Text.PadRight(explanation.Keys.Max(other => other.Key.Text.Length)), new Cell(
                key.Asked ? $"{key.Answer.ToDisplayString()}{AnswerReason.Of(key)}" : "(not asked any more)", key.Asked ? key.Answer.Tone() : Tone.Faint))]);
        }

        report.Line();
        var facts = new List<(string, Cell)> { ("mail", Mail(context, explanation, observed.Entry)) };
        var absence = DaemonAbsence.Of(context.Settings, context.Host.Time);
        if (absence is not null)
            report.Line(absence, Tone.Bad);
        if (known.Probed is { } probed)
        {
            var now = VerdictText.Mail(probed, observed: false, explanation.Decisive!.Key, context.Host.Time.GetUtcNow());
            if (Parent(explanation) is { } parent)
                now = new Cell($"of mail to {parent}: {now.Text}; {explanation.NextHop} has servers and a name of its own: policyctl check {Shell.Quote(explanation.NextHop.Text)}", now.Tone == Tone.Good ? Tone.Plain : now.Tone);
            facts.Add(("now", absence is null ? now : new Cell($"once policyd runs: {now.Text}", Tone.Caution)));
        }

        if (queue?.Of(explanation.NextHop) is { } waiting)
            facts.Add(("waiting", new Cell($"{queue.Sentence(waiting)}{(waiting.Reason.Length == 0 ? "" : $": {Phrases.Cut(waiting.Reason)}")}", Tone.Caution)));
        if (open.Finding is { } finding)
            facts.Add(("finding", new Cell($"{finding.Kind.Name()}: {finding.Detail}", finding.Severity == FindingSeverity.MailWaits ? Tone.Bad : Tone.Caution)));
        if (open.Evidence is { } evidence)
            facts.Add(("evidence", new Cell(evidence.Sentence, Tone.Caution)));
        if (known.Probed?.Verdict is not null && !settings.AssumedOfMainCf.IsEmpty)
            facts.Add(("if", new Cell(string.Join("; ", Assumptions.NotConfigured(settings)), Tone.Faint)));
        if (observed is { Entry: { } entry1, Probed: { } observedState })
            facts.Add(("observed", VerdictText.Mail(observedState, observed: true, entry1.Key, context.Host.Time.GetUtcNow()) is var mail ? mail with { Text = $"{entry1.Key}: {mail.Text}" } : default));
        if (explanation.Rule is { } rule && explanation.Decisive?.Answering is null)
            facts.Add(("rule", Rule(rule, settings.Postfix)));
        if (explanation.Decisive?.Answering is { } entry)
        {
            facts.Add(("rule", Rule(entry, settings.Postfix)));
            var tlsRpt = PolicyText.Answer(entry, settings.Postfix, MapName.TlsPolicyTlsRpt);
            if (tlsRpt != explanation.Answer)
                facts.Add((MapName.TlsPolicyTlsRpt.Name(), new Cell(tlsRpt.ToDisplayString(), tlsRpt.Tone())));
            if (explanation.Answer.Kind == LookupAnswerKind.Found && PolicyText.TcpLineLength(explanation.Answer.Text) > AnswerLimits.TcpTableLine)
                facts.Add(("tcp_table", new Cell("a temporary error: the answer is longer than tcp_table(5) carries; use socketmap", Tone.Caution)));
        }

        facts.AddRange(advice.Select(FindingText.Fact));
        report.Facts(facts);
        if (explanation.Decisive?.Answering is { Pins.IsEmpty: false } pinned)
        {
            report.Line();
            report.Aligned(PinTable.Of(pinned, settings.Postfix));
            PinTable.WriteEvidence(report, pinned, known);
        }
    }

    /// <summary>What becomes of mail. Behind an entry that is only observed a table that was there before may decide.</summary>
    private static string Mail(CommandContext context, Explanation explanation, Destination? observed) =>
        observed is not null && explanation.Decisive is null && OlderTables.Behind(context) is { Count: > 0 } tables
            ? OlderTables.Sentence(observed.Key.Text, tables)
            : DeliverySentence.Of(explanation, context.Settings);

    /// <summary>The domain whose entry for subdomains decides about one of them, and whose servers stand for all of them in probes; null where none does.</summary>
    private static string? Parent(Explanation explanation) =>
        explanation.Decisive is { Key: var key } && key != explanation.NextHop && key.Text.StartsWith('.') ? key.Text[1..] : null;

    private static string Rule(Destination entry, PostfixSettings postfix) =>
        $"the entry {entry.Key}{(entry.Note is null ? "" : $" ({entry.Note})")}{(EntryEnd.Of(entry, postfix) is { } end ? $", {end}" : "")}; its history: policyctl audit {Shell.Quote(entry.Key.Text)}";

    private static Table Walk(Explanation explanation)
    {
        var table = new Table("key", "asked", "decides", "answer", "why");
        foreach (var key in explanation.Keys)
            table.Add(
                key.Key.Text,
                key.Asked ? "yes" : "no",
                ReferenceEquals(key, explanation.Decisive) ? "yes" : "no",
                key.Answer.ToDisplayString(),
                AnswerReason.Of(key).TrimStart(':', ' '));
        return table;
    }

    private static ExplainJson Json(
        CommandContext context, Explanation explanation, Destination? observed, PinProbeState known, DateTimeOffset now, WaitingMail? mail, IReadOnlyList<Finding> open)
    {
        var settings = context.Settings;
        var becomes = Mail(context, explanation, observed);
        return new(
            explanation.NextHop.Text,
            [.. explanation.Keys.Select(key => new ExplainedKeyJson(
                key.Key.Text, key.Asked, key.Origin.Name(), AnswerJson.From(key.Answer), [.. key.OtherForms.Select(other => other.Text)]))],
            explanation.Decisive?.Key.Text,
            AnswerJson.From(explanation.Answer),
            DaemonAbsence.Of(settings, context.Host.Time) is { } absence ? $"{absence}; once policyd runs: {becomes}" : becomes,
            explanation.Decisive?.Answering is { } entry
                ? DestinationJson.From(entry, settings.Postfix, ProbeStateJson.From(known.Probed, entry, settings.Postfix.FingerprintDigest, now), known)
                : null,
            [.. Assumptions.Of(settings)],
            explanation.Keys[0].Discovered is { } discovered
                ? DiscoveredJson.From(discovered, settings.Postfix.SecurityLevel, discovered.Evidence?.Answers ?? [], now)
                : null,
            DestinationMailJson.From(mail, explanation.NextHop),
            [.. open.Select(finding => FindingJson.From(finding))]);
    }
}
