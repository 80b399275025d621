using System.CommandLine;
using PolicyDaemon.Cli.Commands.Domain;
using PolicyDaemon.Cli.Commands.Pins;
using PolicyDaemon.Cli.Commands.Stores;

namespace PolicyDaemon.Cli.Commands;

/// <summary>Every verb, in the order of the help.</summary>
internal static class CommandList
{
    internal const string Description =
        "Administers PolicyDaemon: the TLS policies and pins that Postfix asks for (smtp_tls_policy_maps).";

    internal const string Closing =
        """
        Exit codes: 0 done or found; 1 not found, mismatch, broken chain; 2 usage; 3 daemon not running;
        4 permission; 5 invalid input, configuration or store; 6 inconclusive.

        Start here:
          policyctl init
              Create the store.
          policyctl import --dry-run /etc/postfix/tls_policy
              See what a Postfix table would become, without changing anything.
          policyctl check example.com
              See what its mail servers offer, which level would deliver, and how to set it.
          policyctl domain add example.com --level secure
              Deliver to example.com only over verified TLS.
          policyctl setup
              Check what Postfix needs to ask PolicyDaemon.

        """;

    internal static IEnumerable<Command> All(CommandRunner runner) =>
    [
        Init.Create(runner),
        DomainVerbs.Create(runner),
        PinVerbs.Create(runner),
        Import.Create(runner),
        Export.Create(runner),
        Check.Create(runner),
        ProbeVerb.Create(runner),
        Query.Create(runner),
        Explain.Create(runner),
        Status.Create(runner),
        Audit.Create(runner),
        Undo.Create(runner),
        Backup.Create(runner),
        StoreVerbs.Create(runner),
        SetupVerb.Create(runner),
    ];
}
