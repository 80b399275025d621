using PolicyDaemon.Core.Findings;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Cli.Fetching;

/// <summary>Records probes of destinations that are configured by now, as if the daemon had made them.</summary>
internal static class FetchRecorder
{
    internal static async Task WriteAsync(CommandContext context, IReadOnlyList<ProbedDestination> probed)
    {
        try
        {
            using var prober = new ProberComposition(context.Settings.Probe, context.Settings.Postfix.FingerprintDigest, context.Host.Time);
            using var ledger = new ProbeLedger(context.Settings.Database, context.Settings.Postfix, context.Host.Time);
            using var probe = prober.CreateDestinationProbe(ledger);
            foreach (var one in probed)
                await probe.RecordAsync(one);
        }
        catch (LedgerUnavailableException fault)
        {
            context.Report.Warning($"the change is stored, what was seen is not: {fault.Message}");
        }
    }
}
