using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store;

namespace PolicyDaemon.Daemon;

/// <summary>Turns near misses, counted on the lookup path, into findings in the store, and closes those that were settled.</summary>
internal sealed class NearMissReporter(
    NearMissLog nearMisses, IPolicySource source, RunningConfiguration configuration, ILogger<NearMissReporter> logger, TimeProvider time) : BackgroundService
{
    /// <summary>Whoever reaches a lookup socket can invent near misses by the port: more than these are one finding.</summary>
    private const int MaxFindings = 100;

    private const string TooMany = "(more)";

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private PolicySnapshot? settledAgainst;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                Report();
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    internal void Report()
    {
        var seen = nearMisses.Drain();
        var snapshot = source.Current;
        if (snapshot is null || (seen.Count == 0 && ReferenceEquals(snapshot, settledAgainst)))
            return;

        try
        {
            using var store = PolicyStore.Open(configuration.Settings.Database, StoreAccess.Write, time);
            var open = store.OpenFindings().Where(finding => finding.Finding.Kind == FindingKind.NearMiss)
                .Select(finding => finding.Finding.Subject).ToHashSet(StringComparer.Ordinal);
            foreach (var subject in open.Where(subject => subject != TooMany && IsSettled(snapshot, subject)).ToList())
            {
                store.CloseFinding(FindingKind.NearMiss, subject);
                open.Remove(subject);
            }

            foreach (var miss in seen.Where(miss => !IsSettled(snapshot, miss.Key)).OrderByDescending(miss => miss.Count))
            {
                var subject = open.Contains(miss.Key) || open.Count < MaxFindings ? miss.Key : TooMany;
                var finding = Finding(store, subject);
                store.RaiseFinding(finding);
                if (open.Add(subject))
                    logger.FindingOpened(finding.Kind.Name(), finding.Subject, finding.Detail, finding.Remedy);
            }

            settledAgainst = snapshot;
        }
        catch (StoreException exception)
        {
            // The loader reports the store's fault; the near misses are in the log in any case.
            foreach (var miss in seen)
                logger.NearMissNotStored(miss.Key, miss.Count, exception.Message);
        }
    }

    private static bool IsSettled(PolicySnapshot snapshot, string key)
    {
        var octets = Encoding.ASCII.GetBytes(key);
        return snapshot.TryFind(octets, MapName.TlsPolicy, out _) || !snapshot.HasOtherForm(octets);
    }

    private Finding Finding(PolicyStore store, string subject)
    {
        var answered = configuration.Settings.Postfix.NearMiss == NearMissAnswer.Temporary ? "with a temporary error" : "as not found";
        if (subject == TooMany)
        {
            return new(FindingKind.NearMiss, subject,
                $"more than {MaxFindings} further keys were asked for whose host is configured in another form; each is answered {answered}",
                "policyctl status", time.GetUtcNow());
        }

        var forms = store.OtherForms(NextHop.Parse(subject)).Select(other => other.Key.Text).Where(key => key != subject).ToList();
        return new(FindingKind.NearMiss, subject,
            $"Postfix asks for {subject} and is answered {answered}, while {string.Join(", ", forms)} is configured; to Postfix these are different keys",
            $"policyctl domain add '{subject}' --level LEVEL    (policyctl domain show '{forms.FirstOrDefault() ?? subject}' shows the other's)",
            time.GetUtcNow());
    }
}
