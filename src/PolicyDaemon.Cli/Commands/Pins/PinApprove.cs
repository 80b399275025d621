using System.CommandLine;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin approve</c>: trusts candidates by their fingerprints; without one, after showing each beside the key that it would follow.</summary>
internal static class PinApprove
{
    private const int MostAsked = 5;

    private static readonly string[] ReviewColumns = ["key", "fingerprint", "verdict", "sentence", "certificate_fingerprint", "mx_hosts", "first_seen", "also_by"];

    private sealed record Options(Argument<string> Key, Argument<string[]> Fingerprints, Option<bool> Everywhere, WriteOptions Write);

    internal static Command Create(CommandRunner runner)
    {
        var options = new Options(
            PinDecisionVerbs.Key(), PinDecisionVerbs.Fingerprints(ArgumentArity.ZeroOrMore),
            new Option<bool>("--everywhere")
            {
                Description = "Decide for every other destination, too, that shows the key at the same MX hosts and has it as a candidate; one change",
            },
            new WriteOptions());
        var verb = new Verb("approve", "Trust a candidate: a key that a probe saw. Without a fingerprint it is shown beside the old one, and you are asked.")
        {
            Columns = [.. ChangeReport.Columns, $"(without FINGERPRINT: {string.Join(", ", ReviewColumns)})"],
            ExitCodes = "1 where the key is not configured or has no such pin, or nothing was approved",
            Examples =
            [
                ("policyctl pin approve example.com", "Old and new beside each other, a verdict, what to read to the partner, and the question."),
                ("policyctl pin approve example.com 5a3b7c91", "The partner confirmed by telephone that the new key is theirs."),
                ("policyctl pin approve example.com 5a3b7c91 --everywhere --dry-run", "Which other destinations show it at the same MX hosts?"),
            ],
        };
        verb.Add(options.Key);
        verb.Add(options.Fingerprints);
        verb.Add(options.Everywhere);
        options.Write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, options, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, Options options, CancellationToken cancellation)
    {
        var named = Arguments.PinNames(context.Get(options.Fingerprints) ?? []);
        var selection = context.Selection(options.Key);
        if (selection.HasPattern && (named.Count == 0 || context.Get(options.Everywhere)))
            throw new CommandException(ExitCode.Usage, "name one destination: what it shows is compared with what is trusted there");
        if (named.Count > 0 && !context.Get(options.Everywhere))
            return await ApproveAsync(context, options, view => PinDecision.Meant(view, selection, named), many: false, null, cancellation);
        var key = context.Key(options.Key);
        return named.Count == 0
            ? await ReviewAsync(context, options, key, cancellation)
            : await EverywhereAsync(context, options, key, named, cancellation);
    }

    private static Task<ExitCode> ApproveAsync(
        CommandContext context, Options options, Func<StoreView, IReadOnlyList<MeantPins>> meant, bool many, ChangeRequest? asked, CancellationToken cancellation) =>
        PinDecisionVerbs.DecideAsync(
            context, options.Write, meant, decision => decision.Approve(), PinDecisionVerbs.SayWhatFollows, asGiven: false, cancellation, many, asked);

    /// <summary>Named candidates, and whoever else shows them: listed, asked about on a terminal, decided in one change.</summary>
    private static async Task<ExitCode> EverywhereAsync(
        CommandContext context, Options options, NextHop key, IReadOnlyList<PinName> named, CancellationToken cancellation)
    {
        var others = new Dictionary<Fingerprint, IReadOnlyList<NextHop>>();
        using (var store = context.OpenStore(StoreAccess.Read))
        {
            var entry = store.Find(key) ?? throw StoreView.Missing(store, key);
            foreach (var pin in named.Select(name => name.In(entry, () => store.ReadProbeState(key), asGiven: false)))
                others[pin] = PinReview.ShownAlsoBy(store, key, pin);
        }

        var all = others.Values.SelectMany(keys => keys).Distinct().ToList();
        if (!context.Get(options.Write.Quiet))
        {
            context.Report.Note(all.Count == 0
                ? $"No other destination shows it at the MX hosts of {key.ToDisplayString()}."
                : $"Also by {Phrases.Count(all.Count, "other destination", "other destinations")} at the same MX hosts: {PinReviewText.Others([.. all.Select(other => other.ToDisplayString())])}");
        }

        if (all.Count > 0 && context.Host.InIsTerminal && !context.Get(options.Write.DryRun))
        {
            await using var input = context.Host.In();
            await AskAsync(context, input, $"Approve for {key.ToDisplayString()} and {(all.Count == 1 ? "this one" : $"these {all.Count}")}? [yes/no] ", ["yes"], cancellation);
        }

        return await ApproveAsync(context, options, Everywhere(key, others), all.Count >= ChangeFlow.ManyKeys, null, cancellation);
    }

    /// <summary>The entries of a decision that is made everywhere: those that were listed, as far as they still wait for it.</summary>
    private static Func<StoreView, IReadOnlyList<MeantPins>> Everywhere(NextHop key, IReadOnlyDictionary<Fingerprint, IReadOnlyList<NextHop>> others) => view =>
    [
        new MeantPins(key, [.. others.Keys.Select(PinName.Of)]),
        .. others.SelectMany(one => one.Value.Select(other => (Key: other, Pin: one.Key))).GroupBy(one => one.Key)
            .Select(pins => new MeantPins(pins.Key, [.. pins.Select(one => one.Pin).Where(pin => Waits(view, pins.Key, pin)).Select(PinName.Of)]))
            .Where(meant => meant.Names.Count > 0),
    ];

    private static bool Waits(StoreView view, NextHop key, Fingerprint pin) =>
        view.Find(key) is { } entry && entry.Policy.Level.MatchesFingerprints() && entry.Pins.Find(pin) is { State: PinState.Candidate };

    private static async Task<ExitCode> ReviewAsync(CommandContext context, Options options, NextHop key, CancellationToken cancellation)
    {
        var now = context.Host.Time.GetUtcNow();
        PinReview review;
        PinProbeState known;
        using (var store = context.OpenStore(StoreAccess.Read))
        {
            var entry = store.Find(key) ?? throw StoreView.Missing(store, key);
            if (!entry.Policy.Level.MatchesFingerprints())
                throw new RefusedException(Refusal.LevelTakesNoPins, $"{key} is at level {entry.Policy.Level.Name()}, which takes no pins");
            review = PinReview.Read(store, entry, now);
            known = PinProbeState.Read(store, entry);
        }

        Show(context, review, known, now);
        var offered = review.Keys.Where(reviewed => reviewed.IsOffered).ToList();
        if (offered.Count == 0)
        {
            throw new CommandException(
                ExitCode.Negative,
                review.Keys.IsEmpty
                    ? $"no key waits for a decision at {key}; to look again: policyctl probe {Shell.Quote(key.Text)}"
                    : $"what {key} shows was refused by a person; to trust it all the same, name its fingerprint, with --reason");
        }

        if (context.Get(options.Write.DryRun) || !context.Host.InIsTerminal || !context.Report.IsTable)
        {
            foreach (var one in offered)
                context.Report.Note(HowToName(key, one));
            return context.Get(options.Write.DryRun) ? ExitCode.Done : ExitCode.Negative;
        }

        await using var input = context.Host.In();
        var chosen = await ChooseAsync(context, input, review, offered, context.Get(options.Everywhere), cancellation);
        Func<StoreView, IReadOnlyList<MeantPins>> meant = Everywhere(key, chosen);
        // The audit log says what was decided, as if it had been named.
        var isEverywhere = chosen.Values.Any(others => others.Count > 0) && !context.Get(options.Everywhere);
        var request = options.Write.Request(context) with
        {
            Command = string.Join(' ', [context.CommandLine, .. chosen.Keys.Select(pin => pin.Hex), .. isEverywhere ? ["--everywhere"] : (string[])[]]),
        };
        if (request.Reason is null)
            request = request with { Reason = await ReasonAsync(context, request, options, input, meant, cancellation) };
        return await ApproveAsync(context, options, meant, chosen.Values.Sum(others => others.Count) >= ChangeFlow.ManyKeys, request, cancellation);
    }

    private static void Show(CommandContext context, PinReview review, PinProbeState known, DateTimeOffset now)
    {
        var (report, postfix) = (context.Report, context.Settings.Postfix);
        switch (report.Format)
        {
            case OutputFormat.Json:
                report.Json(PinReviewJson.From(review, postfix, known, now), CliJson.Default.PinReviewJson);
                break;
            case OutputFormat.Tsv:
                report.Tsv(ReviewColumns, review.Keys.Select(key => (string[])
                [
                    review.Entry.Key.Text, key.Pin.Fingerprint.Hex, key.Verdict.Kind.Name(), key.Verdict.Sentence,
                    key.Facts.New?.Certificate.Digest(PinSubject.Certificate, postfix.FingerprintDigest).Hex ?? "-",
                    key.Facts.New is { } shown ? string.Join(' ', shown.Hosts) : "-",
                    key.Facts.New is { } seen ? UtcTime.Text(seen.First) : "-",
                    key.AlsoBy.Count > 0 ? string.Join(' ', key.AlsoBy) : "-",
                ]));
                break;
            default:
                PinReviewText.Write(report, review, postfix.FingerprintDigest, now, WaitingMailNote.Waiting(context, review.Entry.Key));
                report.Line();
                break;
        }
    }

    /// <summary>Of a key that looks odd no command is given that would approve it.</summary>
    private static string HowToName(NextHop key, ReviewedKey reviewed) => reviewed.Verdict.Kind == KeyVerdictKind.Odd
        ? $"Nothing was changed. The key looks odd; look first: policyctl check {Shell.Quote(key.Text)}; once the partner has confirmed it, approve it by its fingerprint, {reviewed.Pin.Fingerprint}"
        : $"Nothing was changed. To approve it: policyctl pin approve {Shell.Quote(key.Text)} {reviewed.Pin.Fingerprint}";

    /// <returns>The pins, each with the other destinations that are decided about.</returns>
    /// <exception cref="CommandException">The person said no.</exception>
    private static async Task<Dictionary<Fingerprint, IReadOnlyList<NextHop>>> ChooseAsync(
        CommandContext context, Stream input, PinReview review, List<ReviewedKey> offered, bool everywhere, CancellationToken cancellation)
    {
        var name = review.Entry.Key.ToDisplayString();
        if (offered is [var only])
        {
            var isShared = only.AlsoBy.Count > 0;
            var others = Phrases.Count(only.AlsoBy.Count, "other destination", "other destinations");
            var answer = isShared && !everywhere
                ? await AskAsync(context, input, $"Approve this key for {name} (everywhere: for the {others}, too)? [yes/everywhere/no] ", ["yes", "everywhere"], cancellation)
                : await AskAsync(context, input, $"Approve this key for {name}{(isShared ? $" and the {others}" : "")}? [yes/no] ", ["yes"], cancellation);
            return Chosen([only], everywhere || answer == "everywhere");
        }

        var numbers = offered.Select(key => FormattableString.Invariant($"{review.Keys.IndexOf(key) + 1}")).ToList();
        var choice = await AskAsync(context, input, $"Approve which for {name}? [{string.Join('/', numbers)}/all/no] ", [.. numbers, "all"], cancellation);
        return Chosen(choice == "all" ? offered : [offered[numbers.IndexOf(choice)]], everywhere);
    }

    private static Dictionary<Fingerprint, IReadOnlyList<NextHop>> Chosen(IEnumerable<ReviewedKey> keys, bool everywhere) =>
        keys.ToDictionary(key => key.Pin.Fingerprint, key => everywhere ? key.AlsoBy : []);

    /// <summary>Asks for the reason where the change takes one, after saying why.</summary>
    private static async Task<string?> ReasonAsync(
        CommandContext context, ChangeRequest request, Options options, Stream input, Func<StoreView, IReadOnlyList<MeantPins>> meant, CancellationToken cancellation)
    {
        var judged = new ChangeFlow(context.Settings, context.Host.Time, context.Host.Journal).Run(
            request with { DryRun = true },
            view => PinDecisionVerbs.Decisions(context, options.Write, view, meant(view), asGiven: false).ConvertAll(decision => decision.Approve()));
        var weakens = judged.Keys.SelectMany(key => key.Weakens).Distinct().ToList();
        if (weakens.Count == 0)
            return null;
        foreach (var weakening in weakens)
            context.Report.Line($"  weakens: {weakening}", Tone.Caution);
        return await Question.AskTextAsync(context.Host, input, "This takes a reason (kept in the audit log; empty: change nothing): ", cancellation) is { Length: > 0 } reason
            ? reason
            : throw NotApproved();
    }

    /// <summary>Asks until one of the answers is given; each is written out, so that no key pressed by mistake approves anything.</summary>
    /// <exception cref="CommandException">The person said no, or nothing.</exception>
    private static async Task<string> AskAsync(CommandContext context, Stream input, string question, IReadOnlyList<string> answers, CancellationToken cancellation)
    {
        for (var asked = 0; asked < MostAsked; asked++)
        {
            switch (await Question.AskAsync(context.Host, input, question, cancellation))
            {
                case "no" or "n" or null:
                    throw NotApproved();
                case var answer when answers.Contains(answer, StringComparer.Ordinal):
                    return answer;
            }
        }

        throw NotApproved();
    }

    private static CommandException NotApproved() => new(ExitCode.Negative, "not approved; nothing was changed");
}
