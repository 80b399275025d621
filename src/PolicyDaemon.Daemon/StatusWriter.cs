using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Discovery;
using PolicyDaemon.Daemon.Fleet;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Daemon.Logging;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>Writes the status file: within a second of a new snapshot or of news among the findings, else every ten seconds.</summary>
/// <remarks>It reads no store: the findings there are those that <see cref="AlertService"/> read for its own work, two to ten seconds after they changed.</remarks>
internal sealed class StatusWriter(
    RunningConfiguration configuration, SnapshotLoader loader, LookupServer server, LookupCounters counters,
    ILogger<StatusWriter> logger, TimeProvider time, ProberService? prober = null,
    AlertService? alerts = null, LogSink? log = null, DiscoveryService? discovery = null, UnattendedFleet? fleet = null) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Rewrite = TimeSpan.FromSeconds(10);

    private readonly DateTimeOffset startedAt = time.GetUtcNow();
    private DaemonStatus? written;
    private OpenFindings writtenFindings = OpenFindings.None;
    private OpenFindings openFindings = OpenFindings.None;
    private IReadOnlyCollection<Finding> own = [];
    private IReadOnlyList<FindingAlert>? stored;
    private volatile DaemonStatus? latest;
    private long writtenAt;
    private string? lastFailure;

    /// <summary>The status as it was at the last turn, a second old at most; null before the first. May be read from any thread.</summary>
    public DaemonStatus? Latest => latest;

    /// <summary>Lookups of the last minutes and of the last day. May be read from any thread.</summary>
    public LookupHistory History { get; } = new(time);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Poll, time);
        try
        {
            do
            {
                WriteIfNews();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    internal void WriteIfNews()
    {
        History.Take(counters);
        var findings = FindingsNow();
        var status = Now(findings);
        latest = status;
        if (written is not null && status.Snapshot == written.Snapshot && findings.SaysTheSameAs(writtenFindings)
            && status.Endpoints.SequenceEqual(written.Endpoints) && IsSame(status.Prober, written.Prober) && time.GetElapsedTime(writtenAt) < Rewrite)
            return;

        var file = configuration.Settings.StatusFile;
        try
        {
            DaemonStatusFile.Write(file, status);
            (written, writtenFindings, writtenAt) = (status, findings, time.GetTimestamp());
            lastFailure = null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Said once, not every second.
            if (lastFailure != exception.Message)
                logger.StatusNotWritten(file, exception.Message);
            lastFailure = exception.Message;
        }
    }

    private static AnswerCount Count(AnsweredLookups lookups) => new(
        lookups.Protocol.Name(), lookups.Map?.Name() ?? "other", lookups.Kind.Name(), lookups.Level?.Name(), lookups.Count);

    // What it counts changes all the time and waits for the next writing; what it says does not.
    private static bool IsSame(ProberStatus? one, ProberStatus? other) =>
        (one?.State, one?.Problem, one?.Resolver, one?.Brake?.On) == (other?.State, other?.Problem, other?.Resolver, other?.Brake?.On);

    /// <summary>The open findings; put together anew only where those of the loader or those of the store are others.</summary>
    private OpenFindings FindingsNow()
    {
        var (ownNow, storedNow) = (fleet is { All: { Count: > 0 } told } ? [.. loader.Findings, .. told] : loader.Findings, alerts?.Stored);
        if (!ReferenceEquals(storedNow, stored) || !ownNow.SequenceEqual(own))
        {
            openFindings = OpenFindings.Of(ownNow, storedNow);
            (own, stored) = (ownNow, storedNow);
        }

        return openFindings;
    }

    private DaemonStatus Now(OpenFindings findings) => new(
        DaemonVersion.Text,
        Environment.ProcessId,
        startedAt,
        time.GetUtcNow(),
        server.Serving,
        loader.Status,
        new LookupCounts(
            counters.Found, counters.NotFound, counters.Temporary, counters.Permanent, counters.NearMisses,
            new ConnectionCounts(
                counters.ConnectionsAccepted, counters.ConnectionsOpen, counters.ConnectionsEvicted, counters.ConnectionsRefused,
                counters.Timeouts, counters.AcceptErrors),
            counters.ProtocolErrors)
        {
            Answers = [.. counters.ByAnswer.Select(Count)],
            Durations = counters.Durations,
        },
        findings.Listed,
        prober is null ? null : prober.Status with { Alerts = alerts?.Waiting ?? 0 })
    {
        FindingCounts = findings.Counts,
        LogLinesDropped = log?.Dropped ?? 0,
        AlertChannels = alerts?.Channels ?? [],
        Discovery = discovery?.Status,
        ChangeToLive = loader.ChangeToLive,
    };
}
