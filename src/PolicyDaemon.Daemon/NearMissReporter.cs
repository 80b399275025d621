using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Daemon;

/// <summary>Turns near misses, counted on the lookup path, into findings in the store, and closes those that were settled.</summary>
/// <remarks>Whoever reaches a lookup socket can invent near misses by the port, so that neither what is kept here, nor the findings, nor the
/// log lines may grow with them: what cannot be stored waits, and is told of once an hour.</remarks>
internal sealed class NearMissReporter(
    LookupDemand demand, ICurrentSnapshot current, RunningConfiguration configuration, ILogger<NearMissReporter> logger, TimeProvider time) : BackgroundService
{
    /// <summary>The number of near misses beyond which there is one finding for all of them.</summary>
    private const int MaxFindings = 100;

    private const string TooMany = "(more)";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SayAgain = TimeSpan.FromHours(1);

    private readonly Dictionary<string, long> waiting = new(StringComparer.Ordinal);
    private PolicySnapshot? settledAgainst;
    private DateTimeOffset? said;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Take();
                // A store that another program holds keeps whoever writes waiting for seconds; the pool's one thread has other work.
                if (HasWork)
                    await Task.Factory.StartNew(Report, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    private bool HasWork => current.Current is { } snapshot && (waiting.Count > 0 || !ReferenceEquals(snapshot, settledAgainst));

    // Each node settles what its own Postfix asked for.
    private string? Node => configuration.Settings.FindingNode;

    internal void Report()
    {
        Take();
        if (!HasWork || current.Current is not { } snapshot)
            return;
        try
        {
            using var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, time);
            Store(store, snapshot);
            waiting.Clear();
            settledAgainst = snapshot;
            said = null;
        }
        catch (StoreException exception)
        {
            // The loader reports the store's fault.
            var now = time.GetUtcNow();
            if (waiting.Count == 0 || now - said < SayAgain)
                return;
            said = now;
            var most = waiting.MaxBy(miss => miss.Value);
            logger.NearMissesNotStored(waiting.Count, most.Key, most.Value, exception.Message);
        }
    }

    private void Take()
    {
        foreach (var miss in demand.Drain(DemandKind.NearMiss))
        {
            // The finding for those beyond the limit needs no names.
            if (waiting.Count < LookupDemand.MaxNearMisses || waiting.ContainsKey(miss.Key))
                waiting[miss.Key] = waiting.GetValueOrDefault(miss.Key) + miss.Count;
        }
    }

    private void Store(PolicyStore store, PolicySnapshot snapshot)
    {
        var open = store.OpenFindings(FindingKind.NearMiss).Where(finding => finding.Finding.Node == Node)
            .Select(finding => finding.Finding.Subject).ToHashSet(StringComparer.Ordinal);
        foreach (var subject in open.Where(subject => subject != TooMany && IsSettled(snapshot, subject)).ToList())
        {
            store.CloseFinding(FindingKind.NearMiss, subject, Node);
            open.Remove(subject);
        }

        var raised = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, _) in waiting.Where(miss => !IsSettled(snapshot, miss.Key)).OrderByDescending(miss => miss.Value))
        {
            var subject = open.Contains(key) || open.Count < MaxFindings ? key : TooMany;
            // Each is a commit to disk, and those beyond the limit share one.
            if (!raised.Add(subject))
                continue;
            var finding = Finding(store, subject) with { Node = Node };
            store.RaiseFinding(finding);
            if (open.Add(subject))
                logger.FindingOpened(finding.Kind.Name(), finding.Subject, finding.Detail, finding.Remedy);
        }
    }

    private bool IsSettled(PolicySnapshot snapshot, string key) =>
        snapshot.TryFind(Encoding.ASCII.GetBytes(key), MapName.TlsPolicy, time, out _, out var hasOtherForm) || !hasOtherForm;

    private Finding Finding(PolicyStore store, string subject)
    {
        var postfix = configuration.Settings.Postfix;
        var answered = postfix.NearMiss == NearMissAnswer.Temporary ? "with a temporary error" : "as not found";
        if (subject == TooMany)
        {
            return new(FindingKind.NearMiss, subject,
                $"more than {MaxFindings} further keys were asked for whose host is configured in another form; each is answered {answered}",
                "policyctl status", time.GetUtcNow());
        }

        var asked = NextHop.Parse(subject);
        var forms = store.OtherForms(asked);
        return new(FindingKind.NearMiss, subject,
            $"Postfix asks for {subject} and is answered {answered}, while {string.Join(", ", forms.Select(other => other.Key.Text))} is configured; to Postfix these are different keys, so the one that it asks for needs an entry, too",
            NearMiss.Command(asked, forms, postfix) ?? $"policyctl explain {Shell.Quote(subject)}",
            time.GetUtcNow());
    }
}
