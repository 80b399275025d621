using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Domains;

/// <summary><c>domain add</c></summary>
internal static class DomainAdd
{
    internal static Command Create(CommandRunner runner)
    {
        var keys = Arguments.Keys();
        var policy = new PolicyOptions();
        var like = new Option<string?>("--like")
        {
            HelpName = "KEY",
            Description = "As the entry of this key is, pins and all, but for what is named beside it; served pins count as announced here",
        };
        var fetch = new FetchOptions();
        var write = new WriteOptions();
        var verb = new Verb("add", "Add destinations. What is so already stays as it is, with exit code 0.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "5 where the key is configured otherwise; with --probe: 1 where what is seen is not what is accepted, 6 where nothing could be seen",
            Examples =
            [
                ("policyctl domain add example.com --level fingerprint --probe", "Probe its servers, show their keys, ask, and pin them."),
                ($"policyctl domain add example.com --level fingerprint --probe --expect {Arguments.SomeFingerprint}", "For scripts: pin this key, and fail where another is seen."),
                ("policyctl domain add example.com --level secure", "Verified TLS to a server whose certificate names example.com or a host below it."),
                ("policyctl domain add a.example b.example --level encrypt --wait 10", "Several in one change; return once the daemon answers from it."),
                ($"policyctl domain add .example.com --level fingerprint --match {Arguments.SomeFingerprint}", "Subdomains of example.com: only a server whose certificate or public key has this fingerprint."),
                ("policyctl domain add example.com --level default --until 7d --reason 'their policy is broken'", "An exemption that ends by itself."),
                ("policyctl domain add '[mx.example.com]:587' --like example.com", "The same policy and pins for another form of a key, which is another key to Postfix."),
                ("policyctl domain add '[mx.example.com]:587' --level encrypt --dry-run", "Show what Postfix would be told for a relay, and change nothing."),
            ],
        };
        verb.Add(keys);
        policy.AddTo(verb);
        verb.Add(like);
        fetch.AddTo(verb);
        write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, keys, policy, like, fetch, write, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(
        CommandContext context, Argument<string[]> keys, PolicyOptions policy, Option<string?> like, FetchOptions fetch, WriteOptions write,
        CancellationToken cancellation)
    {
        var nextHops = context.EntryKeys(keys);
        var other = context.Get(like) is { } text ? Other(context, text) : null;
        if (other is null && !policy.NamesLevel(context))
            throw new CommandException(
                ExitCode.Usage, $"--level is missing; the levels are {string.Join(", ", TlsLevels.EntryNames)}. For verified TLS: --level secure");
        var entries = nextHops.Select(key => policy.Wanted(context, key, other is null ? null : EntryPlans.Like(key, other, context.Host.Time))).ToList();
        var fetched = new FetchedByKey();
        if (fetch.Read(context, write) is { } decision)
        {
            using (var store = context.OpenStore(context.Get(write.DryRun) ? StoreAccess.Read : StoreAccess.Write))
            {
                foreach (var key in nextHops)
                    EntryPlans.RefuseConfigured(store, key);
            }

            await fetched.FetchAsync(context, decision, entries.Select(entry => entry.Destination), cancellation);
            entries = [.. entries.Select(entry => entry with
            {
                Destination = fetched.AddTo(entry.Destination), Evidence = fetched.EvidenceOf(entry.Destination.Key),
            })];
        }

        var code = await ChangeCommand.RunAsync(context, write, view => EntryPlans.Add(view, entries), cancellation);
        if (!context.Get(write.DryRun))
            await fetched.StoreAsync(context);
        return code;
    }

    private static Destination Other(CommandContext context, string text)
    {
        var key = CommandContext.EntryKey(text);
        using var store = context.OpenStore(StoreAccess.Read);
        var entry = store.Find(key) ?? throw StoreView.Missing(store, key);
        return entry.AfterEnd() ?? throw new CommandException(ExitCode.Usage, $"{key} ends by itself and leaves nothing to be like; name the level");
    }
}
