using System.CommandLine;
using PolicyDaemon.Cli.Commands.Audit;
using PolicyDaemon.Cli.Commands.Discovery;
using PolicyDaemon.Cli.Commands.Doctor;
using PolicyDaemon.Cli.Commands.Domains;
using PolicyDaemon.Cli.Commands.Lookups;
using PolicyDaemon.Cli.Commands.Nodes;
using PolicyDaemon.Cli.Commands.Pins;
using PolicyDaemon.Cli.Commands.Program;
using PolicyDaemon.Cli.Commands.Servers;
using PolicyDaemon.Cli.Commands.Status;
using PolicyDaemon.Cli.Commands.Stores;
using PolicyDaemon.Cli.Commands.Tables;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Setup;

namespace PolicyDaemon.Cli;

/// <summary>Every verb, in the order of the help.</summary>
internal static class CommandList
{
    internal const string Description =
        "Administers PolicyDaemon: the TLS policies and pins that Postfix asks for (smtp_tls_policy_maps).";

    internal const string Closing =
        """
        Exit codes: 0 done, found or so already; 1 not found, mismatch, broken chain; 2 a wrong command line; 3 daemon not running; 4 permission; 5 a file, configuration or store that cannot be used, or what cannot be served; 6 inconclusive.

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

    /// <param name="runner">Runs them.</param>
    /// <param name="root">The program, once it is complete.</param>
    internal static IEnumerable<Command> All(CommandRunner runner, Func<RootCommand> root) =>
    [
        InitVerb.Create(runner),
        new Command("domain", "Destinations and their TLS policies")
        {
            DomainAdd.Create(runner),
            DomainSet.Create(runner),
            DomainRemove.Create(runner),
            DomainList.Create(runner),
            DomainShow.Create(runner),
        },
        new Command("pin", "Pins: the fingerprints accepted for a destination")
        {
            PinDecisionVerbs.Add(runner),
            PinApprove.Create(runner),
            PinList.Create(runner),
            PinDecisionVerbs.Reject(runner),
            PinDecisionVerbs.Revoke(runner),
        },
        new Command("discovery", "Destinations without an entry: what they publish by DANE and MTA-STS")
        {
            DiscoveryVerbs.Forget(runner),
            DiscoveryIntake.Import(runner),
            DiscoveryVerbs.List(runner),
            DiscoverySurveyVerbs.Problems(runner),
            DiscoveryVerbs.Refresh(runner),
            DiscoverySurveyVerbs.Report(runner),
            DiscoveryVerbs.Show(runner),
            DiscoveryIntake.Warm(runner),
        },
        ImportVerb.Create(runner),
        ExportVerb.Create(runner),
        ApplyVerb.Create(runner),
        EditVerb.Create(runner),
        CheckVerb.Create(runner),
        ProbeVerb.Create(runner),
        QueryVerb.Create(runner),
        ExplainVerb.Create(runner),
        StatusVerb.Create(runner),
        MetricsVerb.Create(runner),
        WhoVerb.Create(runner),
        AuditVerb.Create(runner),
        ReportVerb.Create(runner),
        UndoVerb.Create(runner),
        BackupVerb.Create(runner),
        new Command("store", "The store as a whole")
        {
            StoreAccept.Create(runner),
            StoreMigrate.Create(runner),
            StoreSchema.Create(runner),
            StoreUpgrade.Create(runner),
        },
        new Command("node", "The machines that share a store on a server")
        {
            NodeRemove.Create(runner),
        },
        SetupVerb.Create(runner),
        DoctorVerb.Create(runner),
        HelpVerb.Create(root),
        VersionVerb.Create(runner),
    ];
}
