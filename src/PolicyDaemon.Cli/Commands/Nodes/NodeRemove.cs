using System.CommandLine;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Fleet;

namespace PolicyDaemon.Cli.Commands.Nodes;

/// <summary><c>node remove</c>: a machine that shared the store is gone for good.</summary>
internal static class NodeRemove
{
    internal static Command Create(CommandRunner runner)
    {
        var name = new Argument<string>("NAME") { Description = "The node, as policyctl status names it" };
        var dryRun = new Option<bool>("--dry-run", "-n") { Description = "Say whether it would be forgotten, but forget nothing" };
        var verb = new Verb("remove", "Forget a machine that shared the store and is gone for good, with the findings about it.")
        {
            ExitCodes = "1 where there is no such node; 5 where it is there, or the store is in a file, which has one",
            Examples =
            [
                ("policyctl node remove --dry-run mx9", "Is it gone?"),
                ("policyctl node remove mx9", "Nobody waits for it any more."),
            ],
        };
        verb.Add(name);
        verb.Add(dryRun);
        verb.SetAction(runner.Handle(context => Run(context, context.Get(name)!, context.Get(dryRun))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, string name, bool dryRun)
    {
        var settings = context.Settings;
        if (!settings.IsOnServer)
            throw new CommandException(ExitCode.Invalid, $"{settings.Database}: a store in a file has one node, this machine; several share one on a server ({ConfigurationKeys.StoreEngine.FullName})");
        if (NodeState.Read(settings.Database).FirstOrDefault(known => known.Name == name) is not { } node)
        {
            context.Report.Note($"{name}: there is no such node; which there are: policyctl status --all");
            return ExitCode.Negative;
        }

        if (!node.IsStale)
            throw new CommandException(ExitCode.Invalid, $"{name} is there, and would be back within seconds; stop policyd there first: systemctl disable --now policyd");
        if (dryRun)
        {
            context.Report.Note($"{name} would be forgotten. Nothing was changed (--dry-run).");
            return ExitCode.Done;
        }

        using var store = context.OpenStore(StoreAccess.Write);
        NodeState.Remove(settings.Database, name);
        // Its own findings nobody else would end; those about it end here, so that nobody waits for whoever tells them.
        foreach (var finding in store.OpenFindings().Select(open => open.Finding).Where(open => open.Node == name || (open.Kind.IsOf(FindingSource.Fleet) && open.Subject == name)))
            store.CloseFinding(finding.Kind, finding.Subject, finding.Node);
        context.Report.Note($"{name}: forgotten.");
        return ExitCode.Done;
    }
}
