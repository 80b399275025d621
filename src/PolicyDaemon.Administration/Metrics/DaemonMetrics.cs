using System.Collections.Immutable;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Metrics;

/// <summary>The metrics that come from the running daemon.</summary>
internal static class DaemonMetrics
{
    internal static void Write(MetricsText text, DaemonStatus daemon)
    {
        text.Family("build_info", MetricType.Gauge, "The version of policyd; always 1.").Sample(1, ("version", daemon.Version));
        text.Family("start_time_seconds", MetricType.Gauge, "When policyd started, in seconds since 1970.").Sample(daemon.StartedAt);
        text.Family("log_lines_dropped_total", MetricType.Counter, "Log lines that were dropped because nobody read them.").Sample(daemon.LogLinesDropped);
        Lookups(text, daemon.Counters);
        Snapshot(text, daemon.Snapshot);
        Durations(text, "change_to_live_seconds", "How long changes took until they were served, up to a second too long each.", DurationBounds.ChangeToLive, daemon.ChangeToLive);
        if (daemon.Prober is { } prober)
            Prober(text, prober);
        Alerts(text, daemon);
        if (daemon.Discovery is { } discovery)
            Discovery(text, discovery);
    }

    private static void Lookups(MetricsText text, LookupCounts counts)
    {
        text.Family("lookups_total", MetricType.Counter, "Lookups by protocol, map and answer; of a map that is not served and a request that could not be read the map is other.");
        foreach (var row in counts.Answers.GroupBy(row => (row.Protocol, row.Map, row.Answer)))
            text.Sample(row.Sum(one => one.Count), ("protocol", row.Key.Protocol), ("map", row.Key.Map), ("answer", row.Key.Answer));
        text.Family("policies_total", MetricType.Counter, "Lookups answered with a policy, by its TLS security level.");
        foreach (var row in counts.Answers.Where(row => row.Level is not null))
            text.Sample(row.Count, ("protocol", row.Protocol), ("map", row.Map), ("level", row.Level!));
        // Without labels, so that a rate needs no sum over what may not have happened yet.
        text.Family("answers_total", MetricType.Counter, "Lookups by answer.")
            .Sample(counts.Found, ("answer", "found")).Sample(counts.NotFound, ("answer", "not-found"))
            .Sample(counts.Temporary, ("answer", "temporary")).Sample(counts.Permanent, ("answer", "permanent"));
        Durations(text, "lookup_duration_seconds", "How long one in 64 lookups took.", DurationBounds.Lookup, counts.Durations);
        text.Family("near_misses_total", MetricType.Counter, "Lookups of a key without an entry whose host is configured in another form.").Sample(counts.NearMisses);
        text.Family("protocol_errors_total", MetricType.Counter, "Requests that could not be read.").Sample(counts.ProtocolErrors);
        var connections = counts.Connections;
        text.Family("connections_accepted_total", MetricType.Counter, "Lookup connections that were accepted.").Sample(connections.Accepted);
        text.Family("connections_open", MetricType.Gauge, "Lookup connections that are open.").Sample(connections.Open);
        text.Family("connections_evicted_total", MetricType.Counter, "Idle connections that made way for new ones at the limit.").Sample(connections.Evicted);
        text.Family("connections_refused_total", MetricType.Counter, "New connections that were closed because none could make way.").Sample(connections.Refused);
        text.Family("connections_timed_out_total", MetricType.Counter, "Connections that were ended because a request or a reply took too long.").Sample(connections.TimedOut);
        text.Family("accept_errors_total", MetricType.Counter, "Failures to accept a connection.").Sample(connections.AcceptErrors);
    }

    private static void Snapshot(MetricsText text, SnapshotStatus? snapshot)
    {
        text.Family("snapshot_loaded", MetricType.Gauge, "1 where policyd has something to answer from; while it is 0 all lookups are temporary errors.").Sample(snapshot is not null);
        if (snapshot is null)
            return;
        text.Family("snapshot_source", MetricType.Gauge, "1 for the source of the snapshot in force: the store, or the file of the last good snapshot.")
            .Sample(snapshot.IsOfStore(), ("source", SnapshotStatus.SourceOf(isOfStore: true)))
            .Sample(!snapshot.IsOfStore(), ("source", SnapshotStatus.SourceOf(isOfStore: false)));
        text.Family("snapshot_destinations", MetricType.Gauge, "Destinations in the snapshot in force.").Sample(snapshot.Destinations);
        text.Family("snapshot_sequence", MetricType.Gauge, "The last row of the audit log that the snapshot includes.").Sample(snapshot.Sequence);
        text.Family("snapshot_loaded_timestamp_seconds", MetricType.Gauge, "When the snapshot came into force, in seconds since 1970.").Sample(snapshot.LoadedAt);
    }

    private static void Prober(MetricsText text, ProberStatus prober)
    {
        text.Family("prober_state", MetricType.Gauge, "1 for the state of the prober.");
        foreach (var state in (string[])["on", "off", "waiting", "refused", "failing"])
            text.Sample(prober.State == state, ("state", state));
        text.Family("probes_total", MetricType.Counter, "Probes of destinations that have ended, whatever they met.").Sample(prober.Probes);
        text.Family("probe_outcomes_total", MetricType.Counter, "Probes of addresses by outcome, and destinations of which DNS named no address.");
        foreach (var (outcome, count) in prober.Outcomes.OrderBy(outcomes => outcomes.Key, StringComparer.Ordinal))
            text.Sample(count, ("outcome", outcome));
        Durations(text, "probe_duration_seconds", "How long probes of addresses took.", DurationBounds.Probe, prober.Durations);
        text.Family("pin_transitions_total", MetricType.Counter, "Pins that the prober moved, by their state after.");
        foreach (var (state, count) in prober.Transitions.OrderBy(transitions => transitions.Key, StringComparer.Ordinal))
            text.Sample(count, ("state", state));
        text.Family("probes_in_flight", MetricType.Gauge, "Destinations that are being probed.").Sample(prober.InFlight);
        text.Family("probes_due", MetricType.Gauge, "Destinations whose probe is due and has not begun.").Sample(prober.Due);
        if (prober.PassEnded is { } ended)
            text.Family("probes_pass_ended_timestamp_seconds", MetricType.Gauge, "When no probe was due or under way any more, in seconds since 1970.").Sample(ended);
        if (prober.Brake is { } brake)
        {
            text.Family("brake_on", MetricType.Gauge, "1 while no pin changes by itself because too many MX hosts show a new key.").Sample(brake.On);
            text.Family("mx_hosts", MetricType.Gauge, "MX hosts of the pinned destinations.").Sample(brake.MxHosts);
            text.Family("mx_hosts_with_new_key", MetricType.Gauge, "MX hosts that showed a new key within a day.").Sample(brake.NewKeys);
        }

        if (prober.Resolver is not { } resolver)
            return;
        text.Family("resolver_trusted", MetricType.Gauge, "1 where the configuration says that the resolver's word on DNSSEC counts.").Sample(resolver.Trusted);
        if (resolver.SelfTestPassed is { } passed)
            text.Family("resolver_self_test_passed", MetricType.Gauge, "1 where the last self-test of the resolver passed.").Sample(passed);
        if (resolver.SelfTestAt is { } at)
            text.Family("resolver_self_test_timestamp_seconds", MetricType.Gauge, "When the last self-test of the resolver was, in seconds since 1970.").Sample(at);
    }

    private static void Alerts(MetricsText text, DaemonStatus daemon)
    {
        text.Family("alerts_waiting", MetricType.Gauge, "Findings that wait for the alert command or the webhook.").Sample(daemon.Prober?.Alerts ?? 0);
        text.Family("alerts_total", MetricType.Counter, "Alerts by channel and result.");
        foreach (var channel in daemon.AlertChannels)
        {
            text.Sample(channel.Delivered, ("channel", channel.Channel), ("result", "delivered"));
            text.Sample(channel.GivenUp, ("channel", channel.Channel), ("result", "given-up"));
        }

        text.Family("alert_attempts_failed_total", MetricType.Counter, "Attempts to deliver an alert that failed, by channel.");
        foreach (var channel in daemon.AlertChannels)
            text.Sample(channel.FailedAttempts, ("channel", channel.Channel));
    }

    private static void Discovery(MetricsText text, DiscoveryStatus discovery)
    {
        text.Family("discovery_known", MetricType.Gauge, "Destinations without an entry that are known, by verdict.");
        foreach (var (verdict, count) in discovery.Known.OrderBy(known => known.Key, StringComparer.Ordinal))
            text.Sample(count, ("verdict", verdict));
        text.Family("discovery_running", MetricType.Gauge, "Destinations that are being discovered.").Sample(discovery.Running);
        text.Family("discovery_lookups_waiting", MetricType.Gauge, "Lookups that wait for a verdict.").Sample(discovery.Waiting);
        text.Family("discovery_lookups_total", MetricType.Counter, "Lookups by the source of their answer.");
        foreach (var (source, count) in discovery.Lookups.OrderBy(lookups => lookups.Key, StringComparer.Ordinal))
            text.Sample(count, ("source", source));
        text.Family("discovery_first_sights_total", MetricType.Counter, "Lookups of destinations that were not known.").Sample(discovery.FirstSights);
        text.Family("discovery_timed_out_total", MetricType.Counter, "First lookups whose verdict did not come in time.").Sample(discovery.TimedOut);
        text.Family("discovery_not_waited_total", MetricType.Counter, "First lookups that had no room to wait.").Sample(discovery.NotWaited);
        text.Family("discovery_stale_total", MetricType.Counter, "Answers that were due to be renewed.").Sample(discovery.Stale);
        text.Family("discovery_changes_total", MetricType.Counter, "Verdicts that changed, to a stricter answer or a weaker one.")
            .Sample(discovery.ChangesUp, ("direction", "stricter")).Sample(discovery.ChangesDown, ("direction", "weaker"));
        text.Family("discovery_policies_near_lapse", MetricType.Gauge, "Policies in force that end within a day unless they are renewed.").Sample(discovery.NearLapse);
        text.Family("discovery_trouble", MetricType.Gauge, "1 where so much fails that the cause is here.").Sample(discovery.Trouble is not null);
        text.Family("discovery_dns_failures_total", MetricType.Counter, "Questions that the resolver failed to answer, by failure.");
        foreach (var (failure, count) in discovery.DnsFailures.OrderBy(failures => failures.Key, StringComparer.Ordinal))
            text.Sample(count, ("failure", failure));
        text.Family("discovery_fetches_total", MetricType.Counter, "Attempts to fetch a policy of MTA-STS, by result.");
        foreach (var (result, count) in discovery.Fetches.OrderBy(fetches => fetches.Key, StringComparer.Ordinal))
            text.Sample(count, ("result", result));
        Durations(text, "discovery_duration_seconds", "How long discoveries took.", DurationBounds.Discovery, discovery.Durations);
    }

    private static void Durations(MetricsText text, string name, string help, ImmutableArray<double> bounds, DurationCount? durations)
    {
        if (durations is not null)
            text.Family(name, MetricType.Histogram, help).Histogram(bounds, durations.Buckets, durations.Count, durations.Milliseconds / 1000);
    }
}
