using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Store.Fleet;

/// <summary>What a person should know of the nodes over one store. Whoever holds the lease tells it, and where nobody does, one that is there: a node that is gone cannot.</summary>
public static class NodeFindings
{
    /// <summary>A clock that differs by more is set wrong, whatever the way to the server takes.</summary>
    internal static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    private const int MostNames = 5;

    /// <param name="nodes">All of them.</param>
    /// <param name="self">The one that tells it.</param>
    public static IReadOnlyList<Finding> Of(IReadOnlyList<NodeState> nodes, string self, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        var found = new List<Finding>();
        var own = nodes.FirstOrDefault(node => node.Name == self);
        foreach (var unattended in nodes.Where(node => node.IsUnattended && !node.IsStale).DistinctBy(node => node.Vantage))
            found.Add(NobodyProbes(nodes, unattended, now));
        var newest = nodes.Where(node => !node.IsStale).MaxBy(node => node.Version, VersionOrder.Instance);
        foreach (var node in nodes)
        {
            if (node.IsStale)
            {
                found.Add(new Finding(
                    FindingKind.NodeStale, node.Name,
                    $"{node.Name} was last there at {UtcTime.Text(node.Seen)}: policyd does not run there, or does not reach the server of the store; where the machine is gone for good, forget it: policyctl node remove {Shell.Quote(node.Name)}",
                    "policyctl status --kind node-stale", now));
                // What it said of itself then says nothing of now.
                continue;
            }

            if (node.IsShared)
            {
                found.Add(new Finding(
                    FindingKind.NodeTwice, node.Name,
                    $"two machines say by turns that they are {node.Name}, and what is told of one is told of the other; give each a name of its own: node in [store] of policydaemon.conf(5), then systemctl restart policyd",
                    "policyctl status --kind node-twice", now));
            }

            if (node.Ahead.Duration() > ClockTolerance)
            {
                found.Add(new Finding(
                    FindingKind.NodeClock, node.Name,
                    $"the clock of {node.Name} is {Roughly(node.Ahead.Duration())} {(node.Ahead > TimeSpan.Zero ? "ahead of" : "behind")} that of the server of the store; set it right there, and see that a time service keeps it so (timedatectl)",
                    "policyctl status --kind node-clock", now));
            }

            if (own is not null && node.Digest != own.Digest)
            {
                found.Add(new Finding(
                    FindingKind.NodeDigest, node.Name,
                    $"{node.Name} answers with pins in {node.Digest}, {own.Name} in {own.Digest}; set fingerprint_digest in [postfix] on each as smtp_tls_fingerprint_digest there is, and both to the same (policyctl setup)",
                    "policyctl status --kind node-digest", now));
            }

            if (newest is not null && VersionOrder.Instance.Compare(node.Version, newest.Version) < 0)
            {
                found.Add(new Finding(
                    FindingKind.NodeVersion, node.Name,
                    $"{node.Name} runs version {node.Version} of policyd, {newest.Name} {newest.Version}; upgrade the older one, or finish the upgrade that is under way",
                    "policyctl status --kind node-version", now));
            }
        }

        return found;
    }

    /// <summary>What is to be known while nobody holds the lease, and so nobody may write it to the store; nothing before that is so for a minute.</summary>
    /// <param name="nodes">All of them.</param>
    /// <param name="self">The one that shows it.</param>
    public static IReadOnlyList<Finding> Unattended(IReadOnlyList<NodeState> nodes, string self, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        if (!nodes.Any(node => node.IsUnattended))
            return [];
        var seen = nodes.ToDictionary(node => node.Name, node => node.Seen, StringComparer.Ordinal);
        // No row of the store says since when.
        return
        [
            .. Of(nodes, self, now).Where(finding => finding.Kind is FindingKind.NobodyProbes or FindingKind.NodeStale)
                .Select(finding => finding.Kind == FindingKind.NodeStale ? finding with { Since = seen[finding.Subject] } : finding),
        ];
    }

    private static Finding NobodyProbes(IReadOnlyList<NodeState> nodes, NodeState unattended, DateTimeOffset now)
    {
        var there = nodes.Where(node => node.Vantage == unattended.Vantage && !node.IsStale).ToList();
        var since = unattended.Unattended == TimeSpan.MaxValue ? null : (DateTimeOffset?)(now - unattended.Unattended);
        var refused = there.Where(node => node.IsRefused).Select(node => node.Name).ToList();
        var why = refused.Count > 0
            ? $"{string.Join(", ", refused.Take(MostNames))}{(refused.Count > MostNames ? " and others" : "")} may not: their users of the server lack the role policydaemon_prober, which its administrator gives with GRANT policydaemon_prober TO each that is to take over (policydaemon-fleet(7), ROLES)"
            : "see the journal of policyd there";
        return new Finding(
            FindingKind.NobodyProbes, unattended.Vantage,
            $"nobody probes and alerts (vantage {unattended.Vantage}){(since is { } at ? $", since {UtcTime.Text(at)}" : "")}: the machine that did is gone, and none of those that are there took over: {why}",
            "policyctl status --kind nobody-probes", since ?? now - NodeState.StaleAfter);
    }

    // Whoever reads it is not told anew with each second.
    private static string Roughly(TimeSpan span)
    {
        var seconds = span.TotalSeconds;
        var digits = Math.Pow(10, Math.Floor(Math.Log10(seconds)));
        return string.Create(CultureInfo.InvariantCulture, $"about {Math.Round(seconds / digits) * digits:0} seconds");
    }

    /// <summary>Numbers by their value, whatever stands between them; a version with a suffix comes behind the one without.</summary>
    internal sealed class VersionOrder : IComparer<string>
    {
        internal static readonly VersionOrder Instance = new();

        public int Compare(string? x, string? y)
        {
            var (one, other) = (Numbers(x), Numbers(y));
            for (var i = 0; i < Math.Max(one.Count, other.Count); i++)
            {
                var difference = one.ElementAtOrDefault(i).CompareTo(other.ElementAtOrDefault(i));
                if (difference != 0)
                    return difference;
            }

            return string.CompareOrdinal(x, y);
        }

        private static List<long> Numbers(string? version) =>
            [.. (version ?? "").Split('.', '-', '+', '~').TakeWhile(part => part.Length is > 0 and < 18 && part.All(char.IsAsciiDigit)).Select(part => long.Parse(part, CultureInfo.InvariantCulture))];
    }
}
