using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Metrics;

/// <summary>All metrics: of the running daemon, as it says on its status socket, and of the store, which is only read.</summary>
/// <remarks>
/// The values of labels are of closed sets; no domain, address, key or person is among them, except the subjects of findings where the configuration asks for
/// that. Where the daemon does not answer, <c>policydaemon_up</c> is 0 and its own figures are left out, so that nobody takes old ones for new.
/// </remarks>
public static class MetricsReport
{
    // Beyond it the certificates are not counted: every one would be decoded each minute.
    private const int MostDestinationsWithCertificates = 10_000;

    private const int MostNamed = 100;

    private static readonly int[] Days = [1, 7, 14, 30, 90];

    /// <summary>The metrics of now.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="format">The format of the text.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="StoreException">The store may not be read by this user (<see cref="StoreFault.Permission"/>): that is no fault of the store's.</exception>
    /// <exception cref="UnauthorizedAccessException">The status socket may not be asked by this user: whether policyd is up is not known.</exception>
    public static string Write(Settings settings, MetricsFormat format, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(time);
        return Write(StatusReport.Gather(settings, time), format, time);
    }

    /// <summary>The metrics of what was gathered already.</summary>
    /// <param name="status">The report.</param>
    /// <param name="format">The format of the text.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="StoreException">The store may not be read by this user (<see cref="StoreFault.Permission"/>): that is no fault of the store's.</exception>
    /// <exception cref="UnauthorizedAccessException">The status socket may not be asked by this user: whether policyd is up is not known.</exception>
    public static string Write(StatusReport status, MetricsFormat format, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(status);
        if (status.IsSocketDenied)
            throw new UnauthorizedAccessException($"{status.Settings.StatusSocket}: no permission to ask policyd.");
        if (status.StoreProblem is { Kind: StoreFault.Permission } refused)
            throw refused;
        var text = new MetricsText(format);
        var daemon = status.Said is not null ? status.Live : null;
        text.Family("up", MetricType.Gauge, "1 where policyd answers on its status socket.").Sample(daemon is not null);
        if (daemon is not null)
            DaemonMetrics.Write(text, daemon);
        text.Family("store_up", MetricType.Gauge, "1 where the store can be read.").Sample(status.StoreProblem is null);
        if (status.StoreProblem is null)
            Store(text, status, time);
        // Where neither can be read there may be any number of them.
        if (status.AreFindingsUnknown || status.Open is not { } open)
            return text.ToString();
        Findings(text, open);
        if (status.Settings.NameFindings)
            Named(text, open);
        return text.ToString();
    }

    private static void Store(MetricsText text, StatusReport status, TimeProvider time)
    {
        text.Family("store_writable", MetricType.Gauge, "1 where the store can be written.").Sample(status.OnlyRead is null);
        if (status.Head is { } head)
            text.Family("audit_sequence", MetricType.Gauge, "The last row of the audit log.").Sample(head.Sequence);
        if (status.Behind is { } behind)
            text.Family("snapshot_behind_rows", MetricType.Gauge, "Rows of the audit log that the snapshot in force lacks.").Sample(behind);
        Nodes(text, status);
        if (status.Counts is not { } counts)
            return;
        text.Family("destinations", MetricType.Gauge, "Destinations with an entry, by TLS security level.");
        foreach (var level in Enum.GetValues<TlsLevel>())
            text.Sample(counts.ByLevel.GetValueOrDefault(level), ("level", level.Name()));
        text.Family("destinations_observed", MetricType.Gauge, "Destinations whose entry is only observed.").Sample(counts.Observed);
        text.Family("destinations_temporary", MetricType.Gauge, "Destinations whose entry ends by itself.").Sample(counts.Temporary);
        text.Family("pins", MetricType.Gauge, "Pins by state.");
        foreach (var state in Enum.GetValues<PinState>())
            text.Sample(counts.PinsByState.GetValueOrDefault(state), ("state", state.Name()));
        text.Family("verdicts", MetricType.Gauge, "Probed destinations by what would happen to their mail; of those that are only observed, what enforcing would do.");
        foreach (var verdict in Enum.GetValues<DestinationVerdict>())
        {
            text.Sample(status.Enforced.GetValueOrDefault(verdict), ("entries", "enforced"), ("verdict", verdict.Name()));
            text.Sample(status.Observed.GetValueOrDefault(verdict), ("entries", "observed"), ("verdict", verdict.Name()));
        }

        if (counts.Destinations <= MostDestinationsWithCertificates)
            Probed(text, status, time);
    }

    /// <summary>The machines that share the store: as many as somebody set up, whose names are no mail's.</summary>
    private static void Nodes(MetricsText text, StatusReport status)
    {
        if (status.Nodes.Count == 0)
            return;
        text.Family("node_up", MetricType.Gauge, "1 where a node that shares the store was there within a minute.");
        foreach (var node in status.Nodes)
            text.Sample(!node.IsStale, ("node", node.Name));
        text.Family("node_probes", MetricType.Gauge, "1 for the node that probes and alerts.");
        foreach (var node in status.Nodes)
            text.Sample(node.HoldsLease, ("node", node.Name));
        text.Family("node_behind_rows", MetricType.Gauge, "Rows of the audit log that a node lacked when it was there last.");
        foreach (var node in status.Nodes)
        {
            if (status.BehindOf(node) is { } behind)
                text.Sample(behind, ("node", node.Name));
        }

        text.Family("node_seen_timestamp_seconds", MetricType.Gauge, "When a node was there last, in seconds since 1970.");
        foreach (var node in status.Nodes)
            text.Sample(node.Seen, ("node", node.Name));
        text.Family("node_clock_ahead_seconds", MetricType.Gauge, "By how much a node's clock is ahead of that of the server of the store.");
        foreach (var node in status.Nodes)
            text.Sample(node.Ahead.TotalSeconds, ("node", node.Name));
        text.Family("node_info", MetricType.Gauge, "The version of a node; always 1.");
        foreach (var node in status.Nodes)
            text.Sample(1, ("node", node.Name), ("version", node.Version));
    }

    private static void Probed(MetricsText text, StatusReport status, TimeProvider time)
    {
        try
        {
            using var store = PolicyStore.Open(status.Settings.Database, StoreAccess.Read, time);
            var probed = store.ReadSummaries().Values;
            text.Family("destinations_certificate_ends", MetricType.Gauge, "Destinations one of whose certificates in use ends within so many days, or has ended.");
            foreach (var days in Days)
            {
                text.Sample(
                    probed.Count(destination => destination.Expires <= status.At.AddDays(days)),
                    ("within", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{days}d")));
            }
        }
        catch (StoreException)
        {
            // It could be read a moment ago; the next time it can be again, or the store is down.
        }
    }

    private static void Findings(MetricsText text, FindingSurvey open)
    {
        text.Family("findings", MetricType.Gauge, "Open findings by kind.");
        foreach (var kind in FindingKinds.All.Where(kind => kind.Source != FindingSource.Status))
            text.Sample(open.Kinds.GetValueOrDefault(kind.Name), ("kind", kind.Name));
        text.Family("findings_by_severity", MetricType.Gauge, "Open findings by what they mean for mail.");
        foreach (var severity in Enum.GetValues<FindingSeverity>())
            text.Sample(open.Severities.GetValueOrDefault(severity.Name()).Open, ("severity", severity.Name()));
        text.Family("affected_destinations", MetricType.Gauge, "Destinations that open findings concern, by what these mean for mail.");
        foreach (var severity in Enum.GetValues<FindingSeverity>())
            text.Sample(open.Severities.GetValueOrDefault(severity.Name()).Destinations, ("severity", severity.Name()));
        text.Family("finding_oldest_timestamp_seconds", MetricType.Gauge, "Since when the oldest open finding of a severity is open, in seconds since 1970.");
        foreach (var (severity, one) in open.Severities.OrderBy(severity => severity.Key, StringComparer.Ordinal))
            text.Sample(one.Oldest, ("severity", severity));
    }

    private static void Named(MetricsText text, FindingSurvey open)
    {
        text.Family("finding_info", MetricType.Gauge, "An open finding by name; always 1. The first hundred, the worst first.");
        foreach (var finding in open.Worst.DistinctBy(finding => (finding.Kind, finding.Subject)))
            text.Sample(1, ("kind", finding.Kind), ("subject", finding.Subject));
    }
}
