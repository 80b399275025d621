using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Snapshots;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Brings findings to people: the journal always, the alert command and the webhook where they are configured.</summary>
/// <remarks>
/// Once per finding, again at each escalation and when it is over; what people were told stands in the store, so that a restart
/// neither repeats nor forgets it. It is written down when every channel has delivered a message or given it up: after a crash
/// between the two a message comes twice, and none is lost. Findings about a channel do not go through that channel.
/// </remarks>
internal sealed class AlertService(
    RunningConfiguration configuration, SnapshotLoader loader, IAlertLedger ledger, IReadOnlyList<IAlertChannel> channels,
    ILogger<AlertService> logger, TimeProvider time) : BackgroundService
{
    /// <summary>So many of one event are told one by one; more at once are told together, as nobody reads a hundred messages.</summary>
    internal const int MaxSingle = 20;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<AlertItem> through = new();
    private readonly HashSet<(long Id, AlertEvent Event, int Escalation)> underWay = [];
    private readonly UnstoredFindings unstored = new();
    private readonly StoreStamp stamp = new();
    private List<ChannelWorker> workers = [];
    private IReadOnlyCollection<Finding> lastFindings = [];
    private Settings? lastSettings;
    private DateTimeOffset? nextEscalation;
    // A timestamp, so that a clock that is set back silences nothing.
    private long pauseUntil = long.MinValue;
    private volatile int waiting;

    /// <summary>Alerts that are not through yet. May be read from any thread.</summary>
    public int Waiting => waiting;

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
        Finish();
        var now = time.GetUtcNow();
        if (!HasNews(now))
            return;
        var started = time.GetTimestamp();
        var escalation = configuration.Settings.Probe.Alerts.Escalation;
        var stored = Read();
        List<FindingAlert> all = [.. stored, .. unstored.Update(loader.Findings, stored, now)];
        Start([.. AlertPlan.Due(all, escalation, now).Where(due => underWay.Add(KeyOf(due)))], now);
        ReportChannels(stored, now);
        nextEscalation = AlertPlan.Next(all, escalation, now);
        waiting = underWay.Count;
        // A store with many findings takes its time to read: at most a twentieth of a processor.
        var pause = time.GetElapsedTime(started) * 20;
        Pause(pause < LongestPause ? pause : LongestPause);
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
        var findings = loader.Findings;
        // What the store cannot hold grows old enough to be told without anything else changing.
        var news = stamp.HasChanged(settings.Database) || now >= nextEscalation || settings != lastSettings || findings.Count > 0
            || lastFindings.Count > 0 || workers.Exists(worker => worker.Problem is not null);
        (lastSettings, lastFindings) = (settings, findings);
        return news;
    }

    private IReadOnlyList<FindingAlert> Read()
    {
        try
        {
            var stored = ledger.ReadAlerts();
            foreach (var finding in stored)
            {
                if (unstored.ToldOf(finding) is { } told)
                    ledger.MarkNotified([finding.Id], told.Notified!.Value, told.Escalation);
            }

            return stored.Any(finding => unstored.ToldOf(finding) is not null) ? ledger.ReadAlerts() : stored;
        }
        catch (LedgerUnavailableException)
        {
            // The loader has a finding for it.
            return [];
        }
    }

    private void Start(List<DueAlert> due, DateTimeOffset now)
    {
        foreach (var one in due)
            Journal(one, now);
        foreach (var group in due.Where(one => !IsOfChannel(one)).GroupBy(one => one.Event))
        {
            var many = group.ToList();
            if (many.Count > MaxSingle)
                Send(new AlertItem(AlertMessage.OfMany(many, now), many, workers.Count), workers);
            else
                many.ForEach(one => SendOne(one, workers, now));
        }

        foreach (var one in due.Where(IsOfChannel))
            SendOne(one, [.. workers.Where(worker => worker.Target.Name != one.Finding.Finding.Subject)], now);
    }

    private void SendOne(DueAlert due, List<ChannelWorker> by, DateTimeOffset now) =>
        Send(new AlertItem(AlertMessage.Of(due, now), [due], by.Count), by);

    private void Send(AlertItem item, List<ChannelWorker> by)
    {
        if (by.Count == 0)
            through.Enqueue(item);
        foreach (var worker in by)
        {
            if (worker.Target.IsOn && worker.TryAdd(item))
                continue;
            if (worker.Target.IsOn)
                logger.AlertGivenUp(worker.Target.Name, item.Message.Finding.Kind, item.Message.Finding.Subject, 0, "too many alerts wait already");
            Passed(item);
        }
    }

    private void Passed(AlertItem item)
    {
        if (item.PassedOne())
            through.Enqueue(item);
    }

    /// <summary>Writes down what is through.</summary>
    private void Finish()
    {
        while (through.TryPeek(out var item))
        {
            try
            {
                Mark(item, time.GetUtcNow());
            }
            catch (LedgerUnavailableException)
            {
                // Not forgotten: it is under way until it is written down.
                return;
            }

            through.TryDequeue(out _);
            foreach (var due in item.Due)
                underWay.Remove(KeyOf(due));
            waiting = underWay.Count;
        }
    }

    private void Mark(AlertItem item, DateTimeOffset now)
    {
        foreach (var group in item.Due.GroupBy(due => (due.Event, due.Escalation, IsStored: due.Finding.Id > 0)))
        {
            var ids = group.Select(due => due.Finding.Id).ToList();
            switch (group.Key)
            {
                case (AlertEvent.Settled, _, true):
                    ledger.MarkRecovered(ids, now);
                    break;
                case (AlertEvent.Settled, _, false):
                    ids.ForEach(unstored.MarkRecovered);
                    break;
                case (_, var escalation, true):
                    ledger.MarkNotified(ids, now, escalation);
                    break;
                case (_, var escalation, false):
                    ids.ForEach(id => unstored.MarkNotified(id, now, escalation));
                    break;
            }
        }
    }

    private void Journal(DueAlert due, DateTimeOffset now)
    {
        var finding = due.Finding.Finding;
        var isElsewhere = finding.Kind.Description().IsJournalledBySource;
        switch (due.Event)
        {
            case AlertEvent.Opened when !isElsewhere:
                logger.FindingReported(finding.Kind.Name(), finding.Subject, finding.Detail, Particulars(finding), finding.Remedy);
                break;
            case AlertEvent.Escalated:
                logger.FindingEscalated(
                    finding.Kind.Name(), finding.Subject, TimeSpan.FromMinutes((long)(now - finding.Since).TotalMinutes).ToText(),
                    finding.Detail, finding.Remedy);
                break;
            case AlertEvent.Settled when !isElsewhere:
                logger.FindingClosed(finding.Kind.Name(), finding.Subject);
                break;
        }
    }

    private static string Particulars(Finding finding)
    {
        var text = new StringBuilder();
        if (finding.Affects > 1)
            text.Append(CultureInfo.InvariantCulture, $"; {finding.Affects} destinations");
        if (!finding.Expected.IsEmpty)
            text.Append("; expected ").AppendJoin(' ', finding.Expected);
        if (!finding.Seen.IsEmpty)
            text.Append("; seen ").AppendJoin(' ', finding.Seen.Select(seen => seen.PublicKey).Distinct());
        return text.ToString();
    }

    /// <summary>A channel that does not work is a finding; one that works again settles it.</summary>
    private void ReportChannels(IReadOnlyList<FindingAlert> stored, DateTimeOffset now)
    {
        foreach (var worker in workers)
        {
            var name = worker.Target.Name;
            var isOpen = stored.Any(finding => finding.Closed is null && finding.Finding.Kind == FindingKind.AlertNotDelivered && finding.Finding.Subject == name);
            var fails = worker.Target.IsOn && worker.Problem is not null;
            if (fails == isOpen || (!fails && worker.Target.IsOn && worker.Delivered == 0))
                continue;
            try
            {
                using var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, time);
                if (fails)
                {
                    store.RaiseFinding(new Finding(
                        FindingKind.AlertNotDelivered, name, $"alerts do not reach people by {name}: {worker.Problem}",
                        $"correct {name} in policydaemon.conf(5), [probe], or what it names", now));
                }
                else
                    store.CloseFinding(FindingKind.AlertNotDelivered, name);
            }
            catch (StoreException)
            {
                // The loader has a finding for it; the journal has each attempt that failed.
            }
        }
    }

    private static bool IsOfChannel(DueAlert due) => due.Finding.Finding.Kind.IsOf(FindingSource.Alert);

    private static (long Id, AlertEvent Event, int Escalation) KeyOf(DueAlert due) => (due.Finding.Id, due.Event, due.Escalation);
}
