using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Setup;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Domains;

/// <summary><c>domain set</c></summary>
internal static class DomainSet
{
    internal static Command Create(CommandRunner runner)
    {
        var keys = Arguments.KeysOrPatterns();
        var policy = new PolicyOptions();
        var enforce = new Option<bool>("--enforce") { Description = "Enforce an entry that was only observed" };
        var unset = new Option<string[]>("--unset") { HelpName = "ATTRIBUTE", Description = "Take an attribute away, such as ciphers; repeatable" };
        unset.CompletionSources.Add([.. PolicyAttributes.All.Select(row => row.Name)]);
        var acceptUnsigned = new Option<bool>("--accept-unsigned")
        {
            Description = "The zone was signed and is not any more, on purpose: ends the finding dnssec-lost until it is signed again; takes --reason",
        };
        var fetch = new FetchOptions();
        var write = new WriteOptions();
        var verb = new Verb("set", "Change destinations. What is not named stays as it is; --match adds pins at fingerprint and replaces names elsewhere.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "1 where the key is not configured, or with --probe what is seen is not what is accepted; 6 where nothing could be seen",
            Examples =
            [
                ("policyctl domain set example.com --level secure --match mx.example.com", "Raise the level; an attribute that is named replaces what was there."),
                ("policyctl domain set example.com --probe", "Pin the keys that its servers show now beside those that are pinned, after asking."),
                ("policyctl domain set '*.example' --mode locked", "Every entry below .example, in one change."),
                ("policyctl domain set example.com --unset ciphers --dry-run", "See the answer without the attribute."),
                ("policyctl domain set example.com --accept-unsigned --reason 'their postmaster, by telephone: no DNSSEC until May'", "The partner gave DNSSEC up: dnssec-lost ends."),
                ("policyctl domain set example.com --level encrypt --reason 'ticket 4711: partner moves'", "Lowering a level takes a reason."),
                ("policyctl domain set example.com --level default --until 4h --reason 'ticket 4712'", "As main.cf says for four hours, then as it was, by itself."),
            ],
        };
        verb.Add(keys);
        policy.AddTo(verb);
        verb.Add(enforce);
        verb.Add(unset);
        verb.Add(acceptUnsigned);
        fetch.AddTo(verb);
        write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(
            context, context.Selection(keys), destination => Apply(context, destination, policy, enforce, unset), context.Get(acceptUnsigned), context.Get(enforce),
            fetch, write, cancellation)));
        return verb;
    }

    private static Destination Apply(
        CommandContext context, Destination destination, PolicyOptions policy, Option<bool> enforce, Option<string[]> unset)
    {
        var taken = (context.Get(unset) ?? []).Select(name => PolicyOptions.Find(name).Name).ToHashSet(StringComparer.Ordinal);
        if (context.Get(enforce) && policy.Observes(context))
            throw new CommandException(ExitCode.Usage, "--observe and --enforce exclude each other; give one");
        var after = policy.Apply(context, destination, taken);
        return policy.WithEnd(context, destination, context.Get(enforce) ? after with { Observe = false } : after);
    }

    private static async Task<ExitCode> RunAsync(
        CommandContext context, KeySelection selection, Func<Destination, Destination> apply, bool acceptsUnsigned, bool enforces, FetchOptions fetch, WriteOptions write,
        CancellationToken cancellation)
    {
        var fetched = new FetchedByKey();
        if (fetch.Read(context, write) is { } decision)
        {
            List<Destination> wanted;
            using (var store = context.OpenStore(context.Get(write.DryRun) ? StoreAccess.Read : StoreAccess.Write))
                wanted = [.. selection.In(store).Select(key => apply(store.Find(key) ?? throw StoreView.Missing(store, key)))];
            await fetched.FetchAsync(context, decision, wanted, cancellation);
            selection = KeySelection.Of(wanted.Select(destination => destination.Key));
        }

        var code = await ChangeCommand.RunAsync(
            context, write, view => EntryPlans.Set(view, selection, before => fetched.AddTo(apply(before)), fetched.EvidenceOf, acceptsUnsigned), cancellation);
        if (!context.Get(write.DryRun))
            await fetched.StoreAsync(context);
        // Who enforces what was observed may have a table behind us that is not needed any more.
        if (code == ExitCode.Done && enforces && !context.Get(write.DryRun) && !context.Get(write.Quiet) && NextStep.OfThisMachine(context) is { } next)
            context.Report.Note(NextCommand.Line(next));
        return code;
    }
}
