using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin add</c>, <c>approve</c>, <c>reject</c> and <c>revoke</c>: a key, its fingerprints, and what a person decides about them.</summary>
internal static class PinDecisionVerbs
{
    internal static Command Add(CommandRunner runner)
    {
        var of = new Option<string?>("--of") { HelpName = "certificate|public-key", Description = "What the fingerprint was taken of, if you know; Postfix tries both" };
        of.AcceptOnlyFromAmong(PinSubject.Certificate.Name(), PinSubject.PublicKey.Name());
        return Complete(
            new("add", "Add a pin, for example the next key before the partner uses it. It is served at once.")
            {
                Columns = ChangeReport.Columns,
                ExitCodes = "1 where the key is not configured",
                Examples =
                [
                    ($"policyctl pin add example.com {Arguments.SomeFingerprint}", "Accept one more certificate or key."),
                    ("openssl x509 -in next.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -c", "The fingerprint of a public key; it survives renewals with the same key."),
                    ($"policyctl pin add example.com {Arguments.SomeFingerprint} --of public-key --dry-run", "Show the answer before and after."),
                ],
            },
            runner,
            (context, decision) => decision.Add(PinNames.TryParse(context.Get(of), out PinSubject subject) ? subject : PinSubject.Unknown),
            SayWhatFollows,
            of);
    }

    internal static Command Reject(CommandRunner runner)
    {
        var unseen = new Option<bool>("--unseen") { Description = "Every candidate that no server presents any more, in place of fingerprints; takes --reason" };
        return Complete(Refusing(), runner, (context, decision) => context.Get(unseen) ? decision.RejectUnseen() : decision.Reject(), null, unseen);
    }

    private static Verb Refusing() =>
        new("reject", "Refuse a key for good. Nothing trusts it again but a person with a reason, and seeing it again is an alarm.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured; 5 where it is the last served pin of an enforced entry",
            Examples =
            [
                ($"policyctl pin reject example.com {Arguments.SomeFingerprint}", "The partner does not know this key: somebody else showed it."),
                ("policyctl pin reject example.com 5a3b7c91 --reason 'private key leaked'", "A pin that is served; another one must be left."),
                ("policyctl pin reject example.com --unseen --reason 'a flood of keys, ticket 17'", "Whatever waits for a decision and is not presented any more."),
            ],
        };

    internal static Command Revoke(CommandRunner runner) => Complete(
        new("revoke", "Stop serving a pin. Only a person serves it again, and seeing it is an alarm; the last served pin of an entry cannot go.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured or has no such pin",
            Examples =
            [
                ("policyctl pin revoke example.com 5a3b7c91", "A server with this certificate or key gets no more mail."),
                ($"policyctl pin revoke '*.example.com' {Arguments.SomeFingerprint} --dry-run", "Show the answers before and after, of every entry below example.com that has this pin."),
            ],
        },
        runner,
        (_, decision) => decision.Revoke());

    /// <param name="verb">With its examples and exit codes.</param>
    /// <param name="runner">Runs it.</param>
    /// <param name="decide">What is decided.</param>
    /// <param name="then">What is said once it is done.</param>
    /// <param name="more">Options of this verb alone.</param>
    private static Verb Complete(
        Verb verb, CommandRunner runner, Func<CommandContext, PinDecision, PlannedChange> decide, Action<CommandContext, IReadOnlyList<NextHop>>? then = null,
        params ReadOnlySpan<Option> more)
    {
        var key = Key();
        var fingerprints = Fingerprints(ArgumentArity.OneOrMore);
        var write = new WriteOptions();
        verb.Add(key);
        verb.Add(fingerprints);
        foreach (var option in more)
            verb.Add(option);
        write.AddTo(verb);
        if (more is [Option<bool> inPlace])
        {
            fingerprints.Arity = ArgumentArity.ZeroOrMore;
            verb.Validators.Add(result =>
            {
                var isGiven = result.GetValue(inPlace);
                if (isGiven == (result.GetValue(fingerprints) is { Length: > 0 }))
                    result.AddError($"give fingerprints, or {inPlace.Name}");
                else if (isGiven && string.IsNullOrWhiteSpace(result.GetValue(write.Reason)))
                    result.AddError($"{inPlace.Name} decides about keys that are not named, so it takes a --reason");
            });
        }

        verb.SetAction(runner.Handle((context, cancellation) =>
        {
            var isNew = verb.Name == "add";
            var selection = context.Selection(key);
            var named = Arguments.PinNames(context.Get(fingerprints)!);
            if (isNew && named.FirstOrDefault(name => !name.IsWhole) is { } part)
                throw new CommandException(ExitCode.Usage, $"pin add takes whole fingerprints, and '{part.Given}' is the beginning of one; a key that a probe saw: policyctl pin approve");
            return DecideAsync(
                context, write, view => PinDecision.Meant(view, selection, named, isNew, verb.Name == "revoke" ? PinDecision.IsRevocable : null),
                decision => decide(context, decision), then, isNew, cancellation);
        }));
        return verb;
    }

    internal static Argument<string> Key() =>
        new("KEY") { HelpName = "KEY", Description = "A configured key, or a pattern: every entry it matches that has such a pin, in one change" };

    internal static Argument<string[]> Fingerprints(ArgumentArity arity) => new("FINGERPRINT")
    {
        Description = "Of the certificate or of its public key, with or without colons; of a pin that the entry has, the first 8 digits or more will do",
        Arity = arity,
    };

    /// <summary>Decides about pins: judges and makes the change, shows it, and says which pins were meant and what follows.</summary>
    /// <param name="meant">The entries and the pins in them, given the store as it is.</param>
    /// <param name="decide">What is decided about those of one entry.</param>
    /// <param name="then">What is said once it is done.</param>
    /// <param name="asGiven">Fingerprints are taken as they are, whatever pins there are.</param>
    /// <param name="many">There may be so many entries that they are counted.</param>
    /// <param name="asked">What the person was asked for, the reason for one; null where the command line says everything.</param>
    internal static Task<ExitCode> DecideAsync(
        CommandContext context, WriteOptions write, Func<StoreView, IReadOnlyList<MeantPins>> meant, Func<PinDecision, PlannedChange> decide,
        Action<CommandContext, IReadOnlyList<NextHop>>? then, bool asGiven, CancellationToken cancellation, bool many = false, ChangeRequest? asked = null)
    {
        _ = write.Patience(context);
        List<PinDecision> decisions = [];
        var request = asked ?? write.Request(context);
        var made = ChangeCommand.Make(context, request, Plan, many);
        return ChangeCommand.FinishAsync(context, write, made, many, cancellation, Say);

        void Say()
        {
            foreach (var remark in decisions.SelectMany(decision => decision.Remarks).Distinct())
                context.Report.Note(remark);
            if (!request.DryRun)
                then?.Invoke(context, [.. decisions.Select(decision => decision.Key)]);
        }

        IReadOnlyCollection<PlannedChange> Plan(StoreView view)
        {
            decisions = Decisions(context, write, view, meant(view), asGiven);
            return decisions.ConvertAll(decision => decide(decision));
        }
    }

    /// <summary>The decisions about each of the entries.</summary>
    internal static List<PinDecision> Decisions(CommandContext context, WriteOptions write, StoreView view, IReadOnlyList<MeantPins> meant, bool asGiven) =>
    [
        // A dry run shows what would be, and says that it takes a reason.
        .. meant.Select(entry => new PinDecision(
            view, entry.Key, entry.Names, context.Get(write.Reason) is not null || context.Get(write.DryRun), context.Settings.Postfix.FingerprintDigest, context.Host.Time, asGiven)),
    ];

    /// <summary>A finding is what a probe saw, and so it ends with a probe; mail that waits goes out with Postfix's next attempt, or at once.</summary>
    internal static void SayWhatFollows(CommandContext context, IReadOnlyList<NextHop> keys)
    {
        using (var store = context.OpenStore(StoreAccess.Read))
        {
            var subjects = store.OpenFindings().Select(open => open.Finding.Subject).ToHashSet(StringComparer.Ordinal);
            var told = keys.Where(key => subjects.Contains(key.Text)).ToList();
            if (told is [var key])
            {
                context.Report.Note(
                    $"Findings about {key.ToDisplayString()} end with its next probe, which the daemon makes now; without the daemon: policyctl probe {Shell.Quote(key.Text)}");
            }
            else if (told.Count > 1)
            {
                context.Report.Note(
                    FormattableString.Invariant($"Findings about {told.Count} of these end with their next probes, which the daemon makes now; without the daemon: policyctl probe --all"));
            }
        }

        WaitingMailNote.Write(context, keys);
    }
}
