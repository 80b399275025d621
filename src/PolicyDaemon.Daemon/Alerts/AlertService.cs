using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Fleet;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Brings findings to people: the journal always, the alert command and the webhook where they are configured.</summary>
/// <remarks>
/// Once per finding, again at each escalation and when it is over; what people were told stands in the store, so that a restart
/// neither repeats nor forgets it. It is written down when every channel has delivered a message or given it up: after a crash
/// between the two a message comes twice, and none is lost. Findings about a channel do not go through that channel, and advice goes through none.
/// </remarks>
internal sealed class AlertService(
    RunningConfiguration configuration, SnapshotLoader loader, IAlertLedger ledger, IReadOnlyList<IAlertChannel> channels,
    ILogger<AlertService> logger, TimeProvider time, ProberLease? lease = null, UnattendedFleet? fleet = null) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // Whoever does not alert reads the findings for its status alone.
    private static readonly TimeSpan PauseOfOthers = TimeSpan.FromSeconds(15);

    private readonly ConcurrentQueue<AlertItem> through = new();
    private readonly ConcurrentQueue<AlertDelivery> partly = new();
    private readonly Dictionary<long, DueAlert> underWay = [];
    private HashSet<AlertDelivery>? delivered;
    private readonly UnstoredFindings unstored = new();
    private volatile List<ChannelWorker> workers = [];
    private IReadOnlyCollection<Finding> lastFindings = [];
    private Settings? lastSettings;
    private StoreStamp? lastStamp;
    private DateTimeOffset? nextEscalation;
    // What was news is news until a pass has acted on all of it.
    private bool again;
    private bool couldTell;
    // A timestamp, so that a clock that is set back silences nothing.
    private long pauseUntil = long.MinValue;
    private volatile int waiting;
    private volatile IReadOnlyList<FindingAlert>? lastRead;

    /// <summary>Of several daemons over one store one tells people what stands there; each tells by itself what the store cannot hold, since it is out
    /// of reach.</summary>
    private bool MayTell => lease is null || lease.IsHeld;

    /// <summary>What the store need not hold.</summary>
    private IReadOnlyCollection<Finding> Own => fleet is { Told: { Count: > 0 } told } ? [.. loader.Findings, .. told] : loader.Findings;

    /// <summary>What became of the alerts of each channel. May be read from any thread.</summary>
    public IReadOnlyList<AlertChannelStatus> Channels => [.. workers.Select(worker => worker.Status)];

    /// <summary>Alerts that are not through yet. May be read from any thread.</summary>
    public int Waiting => waiting;

    /// <summary>The findings as the store had them when it was read last, settled ones among them; null before that. May be read from any thread.</summary>
    public IReadOnlyList<FindingAlert>? Stored => lastRead;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var running = Task.WhenAll(StartWorkers(stoppingToken));
        using var timer = new PeriodicTimer(Poll, time);
        try
        {
            do
                PassSafely();
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The host stops; what is not through is told again after the start.
        }

        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Finish();
    }

    internal IEnumerable<Task> StartWorkers(CancellationToken stop)
    {
        workers = [.. channels.Select(channel => new ChannelWorker(channel, Passed, logger, time))];
        return workers.Select(worker => Task.Run(() => worker.RunAsync(stop), CancellationToken.None)).ToList();
    }

    /// <summary>Finds out once what people are to be told.</summary>
    internal void Pass()
    {
        var mayTell = MayTell;
        if (mayTell && !couldTell)
        {
            // What the one before has delivered stands in the store.
            delivered = null;
            pauseUntil = long.MinValue;
        }

        couldTell = mayTell;
        Finish();
        var now = time.GetUtcNow();
        if (!HasNews(now))
            return;
        again = false;
        var started = time.GetTimestamp();
        var escalation = configuration.Settings.Probe.Alerts.Escalation;
        var stored = Read();
        List<FindingAlert> all = [.. mayTell ? stored : [], .. unstored.Update(Own, stored, now)];
        foreach (var due in AlertPlan.Due(all, escalation, now, UnderWay()))
            Start(due, now);
        ReportChannels(stored, now);
        nextEscalation = AlertPlan.Next(all, escalation, now);
        waiting = underWay.Count;
        // A store with many findings takes its time to read: at most a twentieth of a processor.
        var pause = time.GetElapsedTime(started) * 20;
        Pause(!mayTell ? PauseOfOthers : pause < LongestPause ? pause : LongestPause);
    }

#pragma warning disable CA1031 // what one pass met must not end all alerts
    private void PassSafely()
    {
        try
        {
            Pass();
        }
        catch (Exception fault)
        {
            logger.AlertsBroke(fault);
            again = true;
            Pause(TimeSpan.FromMinutes(1));
        }
    }
#pragma warning restore CA1031

    private void Pause(TimeSpan pause) => pauseUntil = time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency);

    private bool HasNews(DateTimeOffset now)
    {
        if (time.GetTimestamp() < pauseUntil)
            return false;
        var settings = configuration.Settings;
        var findings = Own;
        var stamp = StorePlace.Stamp(settings.Database);
        // What the store cannot hold grows old enough to be told without anything else changing.
        var news = stamp is null || stamp != lastStamp || again || now >= nextEscalation || settings != lastSettings || findings.Count > 0
            || lastFindings.Count > 0 || workers.Exists(worker => worker.Problem is not null);
        (lastSettings, lastFindings, lastStamp) = (settings, findings, stamp);
        return news;
    }

    private IReadOnlyList<FindingAlert> Read() => [.. ReadAll().Where(finding => !finding.Finding.Kind.Description().IsAdvice)];

    private IReadOnlyList<FindingAlert> ReadAll()
    {
        try
        {
            var stored = ledger.ReadAlerts();
            foreach (var finding in MayTell ? stored : [])
            {
                if (unstored.ToldOf(finding) is { } told)
                    ledger.MarkNotified([finding.Id], told.Notified!.Value, told.Escalation);
            }

            return lastRead = MayTell && stored.Any(finding => unstored.ToldOf(finding) is not null) ? ledger.ReadAlerts() : stored;
        }
        catch (LedgerUnavailableException)
        {
            // The loader has a finding for it.
            again = true;
            return [];
        }
    }

    /// <summary>True for a finding of a message that is under way, and for another of its kind and subject: their order must not be lost.</summary>
    private Func<FindingAlert, bool> UnderWay()
    {
        var findings = underWay.Values.SelectMany(due => due.Findings).ToList();
        var ids = findings.Select(finding => finding.Id).ToHashSet();
        var keys = findings.Select(KeyOf).ToHashSet();
        return finding => ids.Contains(finding.Id) || keys.Contains(KeyOf(finding));

        static (FindingKind, string, string?) KeyOf(FindingAlert finding) => (finding.Finding.Kind, finding.Finding.Subject, finding.Finding.Node);
    }

    private void Start(DueAlert due, DateTimeOffset now)
    {
        try
        {
            delivered ??= [.. ledger.ReadDeliveries()];
            // Before anybody hears of it: after a restart they are still together.
            if (due is { Event: AlertEvent.Opened, Together: not null } && due.Findings[0].ToldWith is null)
                ledger.MarkTogether([.. due.Findings.Select(finding => finding.Id)]);
        }
        catch (LedgerUnavailableException) when (due.Id > 0)
        {
            again = true;
            return;
        }
        catch (LedgerUnavailableException)
        {
            // What the store cannot hold is told without it.
        }

        underWay.Add(due.Id, due);
        foreach (var finding in due.Findings)
            logger.Journal(due.Event, finding.Finding, now);
        var subject = due.Findings[0].Finding.Kind.IsOf(FindingSource.Alert) ? due.Findings[0].Finding.Subject : null;
        Send(due, [.. workers.Where(worker => worker.Target.Name != subject && delivered?.Contains(Delivered(due, worker.Target.Name)) != true)], now);
    }

    private void Send(DueAlert due, List<ChannelWorker> by, DateTimeOffset now)
    {
        var item = new AlertItem(AlertMessage.Of(due, now), due, by.Count);
        if (by.Count == 0)
            through.Enqueue(item);
        foreach (var worker in by)
        {
            if (worker.Target.IsOn && worker.TryAdd(item))
                continue;
            if (worker.Target.IsOn)
                logger.AlertGivenUp(worker.Target.Name, item.Message.Finding.Kind, item.Message.Finding.Subject, 0, "too many alerts wait already");
            Passed(item, worker.Target.Name);
        }
    }

    private void Passed(AlertItem item, string channel)
    {
        if (item.PassedOne())
            through.Enqueue(item);
        else if (item.Due.Id > 0)
            partly.Enqueue(Delivered(item.Due, channel));
    }

    private static AlertDelivery Delivered(DueAlert due, string channel) => new(due.Id, channel, AlertMessage.Name(due.Event), due.Escalation);

    /// <summary>Writes down what is through.</summary>
    private void Finish()
    {
        try
        {
            while (partly.TryPeek(out var part))
            {
                if (MayTell)
                    ledger.MarkDelivered(part);
                partly.TryDequeue(out _);
            }

            while (through.TryPeek(out var item))
            {
                // Of what the store holds whoever tells now takes note; it may come twice, and is not lost.
                if (item.Due.Id < 0 || MayTell)
                    Mark(item.Due, time.GetUtcNow());
                through.TryDequeue(out _);
                underWay.Remove(item.Due.Id);
                waiting = underWay.Count;
            }
        }
        catch (LedgerUnavailableException)
        {
            // Not forgotten: it is under way until it is written down.
        }
    }

    private void Mark(DueAlert due, DateTimeOffset now)
    {
        var ids = due.Findings.Select(finding => finding.Id).ToList();
        switch (due.Event, due.Id > 0)
        {
            case (AlertEvent.Settled, true):
                ledger.MarkRecovered(ids, now);
                break;
            case (AlertEvent.Settled, false):
                ids.ForEach(unstored.MarkRecovered);
                break;
            case (_, true):
                ledger.MarkNotified(ids, now, due.Reached);
                break;
            case (_, false):
                ids.ForEach(id => unstored.MarkNotified(id, now, due.Reached));
                break;
        }
    }

    /// <summary>A channel that does not work is a finding; one that works again settles it.</summary>
    private void ReportChannels(IReadOnlyList<FindingAlert> stored, DateTimeOffset now)
    {
        foreach (var worker in workers)
        {
            var name = worker.Target.Name;
            var node = configuration.Settings.FindingNode;
            var isOpen = stored.Any(finding =>
                finding.Closed is null && finding.Finding.Kind == FindingKind.AlertNotDelivered && finding.Finding.Subject == name && finding.Finding.Node == node);
            // Where another node alerts, people are told.
            var fails = MayTell && worker.Target.IsOn && worker.Problem is not null;
            if (fails == isOpen || (!fails && MayTell && worker.Target.IsOn && worker.Delivered == 0))
                continue;
            try
            {
                using var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, time);
                if (fails)
                {
                    store.RaiseFinding(new Finding(
                        FindingKind.AlertNotDelivered, name, $"alerts do not reach people by {name}: {worker.Problem}; correct it in policydaemon.conf(5), [probe], or what it names",
                        "policyctl status", now)
                    {
                        Node = node,
                    });
                }
                else
                    store.CloseFinding(FindingKind.AlertNotDelivered, name, node);
            }
            catch (StoreException)
            {
                // The loader has a finding for it; the journal has each attempt that failed.
                again = true;
            }
        }
    }
}
