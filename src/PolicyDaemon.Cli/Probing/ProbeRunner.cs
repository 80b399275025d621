using System.Collections.Concurrent;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Cli.Probing;

/// <summary>Looks at destinations and records what was seen, some at a time, until all are done or a person has had enough.</summary>
internal static class ProbeRunner
{
    // Most of them wait for DNS or a server; the gate bounds the connections.
    private const int AtOnce = 32;

    /// <returns>Those that were looked at, in the order of <paramref name="keys"/>.</returns>
    internal static async Task<IReadOnlyList<ProbeOutput>> RunAsync(
        CommandContext context, ProbeLedger ledger, IReadOnlyList<NextHop> keys, CancellationToken cancellation)
    {
        var settings = context.Settings;
        using var prober = new ProberComposition(settings.Probe, settings.Postfix.FingerprintDigest, context.Host.Time);
        using var probe = prober.CreateDestinationProbe(ledger);
        var results = new ConcurrentDictionary<NextHop, ProbeOutput>();
        using var progress = Progress.Start(context.Host, "probing", keys.Count, worthShowing: 2);
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
                if (await probe.RunAsync(key, ProbeReason.Person, roundEnded: null, stop) is { } probed)
                    results[key] = ProbeOutput.Of(probed, ledger.Read(key)?.Pins ?? []);
                progress.Report(Interlocked.Increment(ref done));
            });
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // What was recorded stays, and is shown.
        }

        return [.. keys.Where(results.ContainsKey).Select(key => results[key])];
    }
}
