using System.Collections.Concurrent;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Administration.Probing;

/// <summary>Probes destinations, several at a time, and stores the results, until all are done or the person interrupts it.</summary>
public sealed class ProbeRunner(Settings settings, TimeProvider time)
{
    // Most of them wait for DNS or a server; the gate bounds the connections.
    private const int AtOnce = 32;

    /// <param name="keys">Configured destinations.</param>
    /// <param name="progress">Told after each destination how many are done and how many there are.</param>
    /// <param name="cancellation">Ends the run; the results until then are returned.</param>
    /// <returns>Those that were probed, in the order of <paramref name="keys"/>.</returns>
    public async Task<IReadOnlyList<StoredProbe>> RunAsync(
        ProbeLedger ledger, IReadOnlyList<NextHop> keys, IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(keys);
        using var claims = AddressClaims.For(settings.Database, time);
        using var prober = new ProberComposition(settings.Probe, settings.Postfix, time) { Claims = claims };
        using var destinations = prober.CreateDestinationProbe(ledger, keys.Count);
        var results = new ConcurrentDictionary<NextHop, ProbedDestination>();
        var done = 0;
        var limit = new ParallelOptions
        {
            MaxDegreeOfParallelism = Math.Min(AtOnce, prober.Schedule.MaxDestinations),
            CancellationToken = cancellation,
        };
        try
        {
            await Parallel.ForEachAsync(keys, limit, async (key, stop) =>
            {
                if (await destinations.RunAsync(key, ProbeReason.Person, passEnded: null, stop) is { } probe)
                    results[key] = probe;
                progress?.Report((Interlocked.Increment(ref done), keys.Count));
            });
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // What was stored stays, and is shown.
        }

        using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, time);
        var open = store.OpenFindings().Where(finding => finding.Finding.Node is null).ToDictionary(finding => (finding.Finding.Kind, finding.Finding.Subject), finding => finding.Finding);
        return
        [
            .. keys.Where(results.ContainsKey)
                .Select(key => StoredProbe.Of(results[key], store, open))
                .OfType<StoredProbe>(),
        ];
    }
}
