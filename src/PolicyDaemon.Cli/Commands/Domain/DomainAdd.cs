using System.CommandLine;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Commands.Domain;

/// <summary><c>domain add</c></summary>
internal static class DomainAdd
{
    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.Key();
        var policy = new PolicyOptions();
        var write = new WriteOptions();
        var verb = new Verb("add", "Add a destination.")
        {
            Columns = ChangeReport.Columns,
            Examples =
            [
                ("policyctl domain add example.com --level secure", "Verified TLS to a server whose certificate names example.com or a host below it."),
                ("policyctl domain add .example.com --level fingerprint --match 5A:3B:...", "Subdomains of example.com: only a server whose certificate or public key has this fingerprint."),
                ("policyctl domain add '[mx.example.com]:587' --level encrypt --dry-run", "Show what Postfix would be told for a relay, and change nothing."),
            ],
        };
        verb.Add(key);
        policy.AddTo(verb);
        write.AddTo(verb);
        verb.SetAction(runner.Handle(context => Run(context, key, policy, write)));
        return verb;
    }

    private static ExitCode Run(CommandContext context, Argument<string> key, PolicyOptions policy, WriteOptions write)
    {
        var nextHop = context.Key(key);
        if (!policy.NamesLevel(context))
            throw new CommandException(
                ExitCode.Usage, $"--level is missing; the levels are {string.Join(", ", TlsLevels.Names)}. For verified TLS: --level secure");
        var empty = new Destination { Key = nextHop, Policy = new TlsPolicy { Level = TlsLevel.Encrypt } };
        var destination = policy.Apply(context, empty, new HashSet<string>());
        return new ChangeFlow(context, write).Run(view =>
        {
            if (view.Find(nextHop) is not null)
                throw new CommandException(
                    ExitCode.Invalid, $"{nextHop} is configured already; change it with: policyctl domain set {Setup.Shell.Quote(nextHop.Text)} ...");
            return [new PlannedChange(nextHop, null, destination)];
        });
    }
}
