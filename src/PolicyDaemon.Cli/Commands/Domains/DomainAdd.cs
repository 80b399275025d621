using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.Fetching;
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
        var key = Arguments.Key();
        var policy = new PolicyOptions();
        var fetch = new FetchOptions();
        var write = new WriteOptions();
        var verb = new Verb("add", "Add a destination.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "with --probe: 1 where what is seen is not what is accepted, 6 where nothing could be seen",
            Examples =
            [
                ("policyctl domain add example.com --level fingerprint --probe", "Probe its servers, show their keys, ask, and pin them."),
                ("policyctl domain add example.com --level fingerprint --probe --expect 5A:3B:...", "For scripts: pin this key, and fail where another is seen."),
                ("policyctl domain add example.com --level secure", "Verified TLS to a server whose certificate names example.com or a host below it."),
                ("policyctl domain add .example.com --level fingerprint --match 5A:3B:...", "Subdomains of example.com: only a server whose certificate or public key has this fingerprint."),
                ("policyctl domain add '[mx.example.com]:587' --level encrypt --dry-run", "Show what Postfix would be told for a relay, and change nothing."),
            ],
        };
        verb.Add(key);
        policy.AddTo(verb);
        fetch.AddTo(verb);
        write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, key, policy, fetch, write, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(
        CommandContext context, Argument<string> key, PolicyOptions policy, FetchOptions fetch, WriteOptions write,
        CancellationToken cancellation)
    {
        var nextHop = context.Key(key);
        if (!policy.NamesLevel(context))
            throw new CommandException(
                ExitCode.Usage, $"--level is missing; the levels are {string.Join(", ", TlsLevels.Names)}. For verified TLS: --level secure");
        var empty = new Destination { Key = nextHop, Policy = new TlsPolicy { Level = TlsLevel.Encrypt } };
        var destination = policy.Apply(context, empty, new HashSet<string>());
        FetchedPins? fetched = null;
        if (fetch.Read(context, write) is { } decision)
        {
            using (var store = context.OpenStore(context.Get(write.DryRun) ? StoreAccess.Read : StoreAccess.Write))
                EntryPlans.RefuseConfigured(store, nextHop);
            fetched = await FetchCommand.RunAsync(context, decision, destination, cancellation);
            destination = destination with { Pins = fetched.AddTo(destination.Pins) };
        }

        var code = ChangeCommand.Run(context, write, view => EntryPlans.Add(view, destination, fetched?.Evidence));
        if (fetched is not null && !context.Get(write.DryRun))
            await FetchCommand.StoreAsync(context, fetched.StoreAsync());
        return code;
    }
}
