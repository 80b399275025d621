using System.CommandLine;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Cli.Fetching;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Commands.Domain;

/// <summary><c>domain add</c></summary>
internal static class DomainAdd
{
    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.Key();
        var policy = new PolicyOptions();
        var sighting = new FetchOptions();
        var write = new WriteOptions();
        var verb = new Verb("add", "Add a destination.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "with --probe: 1 where what is seen is not what is accepted, 6 where nothing could be seen",
            Examples =
            [
                ("policyctl domain add example.com --level fingerprint --probe", "Look at its servers, show their keys, ask, and pin them."),
                ("policyctl domain add example.com --level fingerprint --probe --expect 5A:3B:...", "For scripts: pin this key, and fail where another is seen."),
                ("policyctl domain add example.com --level secure", "Verified TLS to a server whose certificate names example.com or a host below it."),
                ("policyctl domain add .example.com --level fingerprint --match 5A:3B:...", "Subdomains of example.com: only a server whose certificate or public key has this fingerprint."),
                ("policyctl domain add '[mx.example.com]:587' --level encrypt --dry-run", "Show what Postfix would be told for a relay, and change nothing."),
            ],
        };
        verb.Add(key);
        policy.AddTo(verb);
        sighting.AddTo(verb);
        write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, key, policy, sighting, write, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(
        CommandContext context, Argument<string> key, PolicyOptions policy, FetchOptions sighting, WriteOptions write,
        CancellationToken cancellation)
    {
        var nextHop = context.Key(key);
        if (!policy.NamesLevel(context))
            throw new CommandException(
                ExitCode.Usage, $"--level is missing; the levels are {string.Join(", ", TlsLevels.Names)}. For verified TLS: --level secure");
        var empty = new Destination { Key = nextHop, Policy = new TlsPolicy { Level = TlsLevel.Encrypt } };
        var destination = policy.Apply(context, empty, new HashSet<string>());
        FetchedPins? sighted = null;
        if (sighting.Read(context, write) is { } decision)
        {
            // Before anything is asked of anybody's server, or of a person.
            using (var store = context.OpenStore(context.Get(write.DryRun) ? StoreAccess.Read : StoreAccess.Write))
            {
                if (store.Find(nextHop) is not null)
                    throw Known(nextHop);
            }

            sighted = await FetchedPins.TakeAsync(context, decision, destination, cancellation);
            destination = destination with { Pins = sighted.AddTo(destination.Pins) };
        }

        var code = new ChangeFlow(context, write).Run(view => view.Find(nextHop) is null
            ? [new PlannedChange(nextHop, null, destination) { Evidence = sighted?.Evidence }]
            : throw Known(nextHop));
        if (sighted is not null && !context.Get(write.DryRun))
            await sighted.RecordAsync();
        return code;
    }

    private static CommandException Known(NextHop key) => new(
        ExitCode.Invalid, $"{key} is configured already; change it with: policyctl domain set {Shell.Quote(key.Text)} ...");
}
