using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Discovery;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Daemon.Logging;
using PolicyDaemon.Daemon.Probing;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon;

/// <summary>Writes the status file: within a second of a new snapshot or finding, else every ten seconds.</summary>
internal sealed class StatusWriter(
    RunningConfiguration configuration, SnapshotLoader loader, LookupServer server, LookupCounters counters,
    ILogger<StatusWriter> logger, TimeProvider time, ProberService? prober = null,
    AlertService? alerts = null, LogSink? log = null, DiscoveryService? discovery = null) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Rewrite = TimeSpan.FromSeconds(10);

    private readonly DateTimeOffset startedAt = time.GetUtcNow();
    private DaemonStatus? written;
    private long writtenAt;
    private string? lastFailure;

    private volatile DaemonStatus? latest;

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
        var status = Now();
        latest = status;
        if (written is not null && status.Snapshot == written.Snapshot && status.Findings.SequenceEqual(written.Findings)
            && status.Endpoints.SequenceEqual(written.Endpoints) && IsSame(status.Prober, written.Prober) && time.GetElapsedTime(writtenAt) < Rewrite)
            return;

        var file = configuration.Settings.StatusFile;
        try
        {
            DaemonStatusFile.Write(file, status);
            (written, writtenAt) = (status, time.GetTimestamp());
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

    private DaemonStatus Now() => new(
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
        },
        [.. loader.Findings.Select(finding => FindingJson.From(finding))],
        prober is null ? null : prober.Status with { Alerts = alerts?.Waiting ?? 0 })
    {
        LogLinesDropped = log?.Dropped ?? 0,
        AlertChannels = alerts?.Channels ?? [],
        Discovery = discovery?.Status,
    };
}
