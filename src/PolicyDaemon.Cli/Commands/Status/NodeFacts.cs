using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Fleet;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary>The daemons that share the store, a line for each: version, how far behind, when it was there last, who probes.</summary>
internal static class NodeFacts
{
    // A screen has room for so many besides what needs a person.
    private const int MostInShort = 8;

    /// <summary>All of them or, where they are many, those that are not as they should be.</summary>
    internal static IEnumerable<(string Name, Cell Value)> Short(StatusReport status)
    {
        if (status.Nodes.Count <= MostInShort)
            return All(status);
        var shown = status.Nodes.Where(node => node.HoldsLease || node.IsStale).Take(MostInShort).ToList();
        return shown.Select(node => ("node", Of(node, status)))
            .Append(("nodes", new Cell($"{Phrases.Count(status.Nodes.Count - shown.Count, "other")}: policyctl status --all")));
    }

    internal static IEnumerable<(string Name, Cell Value)> All(StatusReport status) => status.Nodes.Select(node => ("node", Of(node, status)));

    private static Cell Of(NodeState node, StatusReport status)
    {
        var here = node.Name == status.Settings.Node ? " (this one)" : "";
        if (node.IsStale)
            return new Cell($"{node.Name}{here}: not there since {UtcTime.Text(node.Seen)}, version {node.Version}; gone for good? policyctl node remove {node.Name}", Tone.Bad);
        var behind = status.BehindOf(node) switch
        {
            null => "serves nothing yet",
            var rows => string.Create(CultureInfo.InvariantCulture, $"{rows} {(rows == 1 ? "row" : "rows")} behind"),
        };
        var role = node switch
        {
            { HoldsLease: true, MayProbe: true } => "probes and alerts",
            { HoldsLease: true } => "alerts; nobody probes",
            { MayProbe: true } => "probes when its turn comes",
            { IsRefused: true } => "may not probe (its user of the server lacks the role policydaemon_prober)",
            _ => "does not probe (enabled = no)",
        };
        var text = string.Create(CultureInfo.InvariantCulture, $"{node.Name}{here}: {role}, {behind}, version {node.Version}, there {node.Age.TotalSeconds:0} s ago")
            + (node.Vantage == status.Settings.Vantage ? "" : $", vantage {node.Vantage}");
        return node is { HoldsLease: true, MayProbe: false } ? new Cell(text, Tone.Caution) : text;
    }
}
