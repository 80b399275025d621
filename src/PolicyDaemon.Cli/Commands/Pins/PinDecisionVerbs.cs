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
            SayWhenFindingsEnd,
            of);
    }

    internal static Command Approve(CommandRunner runner) => Complete(
        new("approve", "Trust a candidate: a key that a probe saw. It is served at once.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured or has no such pin",
            Examples =
            [
                ("policyctl pin approve example.com 5a3b7c91", "The partner confirmed by telephone that the new key is theirs."),
                ($"policyctl pin approve example.com {Arguments.SomeFingerprint} --dry-run", "Show the answer before and after."),
            ],
        },
        runner,
        (_, decision) => decision.Approve(),
        SayWhenFindingsEnd);

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
        Verb verb, CommandRunner runner, Func<CommandContext, PinDecision, PlannedChange> decide, Action<CommandContext, NextHop>? then = null,
        params ReadOnlySpan<Option> more)
    {
        var key = new Argument<string>("KEY") { HelpName = "KEY", Description = "A configured key, or a pattern: every entry it matches that has such a pin, in one change" };
        var fingerprints = new Argument<string[]>("FINGERPRINT")
        {
            Description = "Of the certificate or of its public key, with or without colons; of a pin that the entry has, the first 8 digits or more will do",
            Arity = ArgumentArity.OneOrMore,
        };
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

        verb.SetAction(runner.Handle(async (context, cancellation) =>
        {
            var selection = context.Selection(key);
            var named = Arguments.PinNames(context.Get(fingerprints)!);
            if (verb.Name == "add" && named.FirstOrDefault(name => !name.IsWhole) is { } part)
                throw new CommandException(ExitCode.Usage, $"pin add takes whole fingerprints, and '{part.Given}' is the beginning of one; a key that a probe saw: policyctl pin approve");
            IReadOnlyList<NextHop> keys = [];
            IReadOnlyList<string> remarks = [];
            var code = await ChangeCommand.RunAsync(context, write, Plan, cancellation);
            if (!context.Get(write.Quiet))
            {
                foreach (var remark in remarks)
                    context.Report.Note(remark);
            }

            if (!context.Get(write.DryRun) && !context.Get(write.Quiet))
            {
                foreach (var nextHop in keys)
                    then?.Invoke(context, nextHop);
            }

            return code;

            IReadOnlyList<PlannedChange> Plan(StoreView view)
            {
                var meant = PinDecision.Meant(view, selection, named, isNew: verb.Name == "add", isMeant: verb.Name == "revoke" ? PinDecision.IsRevocable : null);
                keys = [.. meant.Select(entry => entry.Key)];
                var decisions = meant.Select(entry => new PinDecision(
                    view, entry.Key, entry.Names, context.Get(write.Reason) is not null, context.Settings.Postfix.FingerprintDigest, context.Host.Time,
                    asGiven: verb.Name == "add")).ToList();
                remarks = [.. decisions.SelectMany(decision => decision.Remarks).Distinct()];
                return [.. decisions.Select(decision => decide(context, decision))];
            }
        }));
        return verb;
    }

    /// <summary>A finding is what a probe saw, and so it ends with a probe.</summary>
    private static void SayWhenFindingsEnd(CommandContext context, NextHop key)
    {
        using var store = context.OpenStore(StoreAccess.Read);
        if (store.OpenFindings().Any(open => open.Finding.Subject == key.Text))
        {
            context.Report.Note(
                $"Findings about {key.ToDisplayString()} end with its next probe, which the daemon makes now; without the daemon: policyctl probe {Shell.Quote(key.Text)}");
        }
    }
}
