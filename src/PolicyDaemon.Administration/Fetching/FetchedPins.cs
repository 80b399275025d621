using System.Collections.Immutable;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Administration.Fetching;

/// <summary>A pin that is to be served from now on.</summary>
/// <param name="Fingerprint">In the digest that Postfix compares.</param>
/// <param name="Subject">What it is of.</param>
/// <param name="Strength">On what it was trusted.</param>
/// <param name="Replaces">A pin of the same key or certificate in another digest, which it carries over; null: none.</param>
public sealed record AcceptedPin(Fingerprint Fingerprint, PinSubject Subject, PinStrength Strength, Fingerprint? Replaces = null);

/// <summary>Fetched keys that were accepted: the pins of the entry that is to be written, and what was seen, to be stored once it is there.</summary>
public sealed class FetchedPins
{
    private readonly Settings settings;
    private readonly TimeProvider time;
    private readonly ProbedDestination probed;

    internal FetchedPins(Settings settings, TimeProvider time, ProbedDestination probed, IReadOnlyList<AcceptedPin> accepted)
    {
        this.settings = settings;
        this.time = time;
        this.probed = probed;
        Accepted = accepted;
    }

    public IReadOnlyList<AcceptedPin> Accepted { get; }

    /// <summary>What the pins rest on, as JSON for the audit log.</summary>
    public string Evidence => FetchEvidence.Json(probed, Accepted, settings.Postfix.FingerprintDigest);

    /// <summary>The pins with those that were accepted served, and in use.</summary>
    public ImmutableArray<Pin> AddTo(ImmutableArray<Pin> pins)
    {
        var now = UtcTime.WholeSeconds(time.GetUtcNow());
        foreach (var one in Accepted)
        {
            // A probe does not bring back what a person rejected.
            if (pins.Find(one.Fingerprint)?.State != PinState.Rejected)
                pins = pins.Serve(new Pin(one.Fingerprint, one.Subject, PinState.Active, one.Strength, now));
            if (one.Replaces is { } foreign && pins.Find(foreign)?.IsServed == true)
                pins = pins.Retire(foreign, now);
        }

        return pins;
    }

    /// <summary>Stores what was seen, once the entry is there.</summary>
    /// <returns>Why it could not be stored; null where it was.</returns>
    public Task<string?> StoreAsync() => StoreAsync(settings, time, [probed]);

    /// <summary>Stores probes of destinations that are configured by now, as if the daemon had made them.</summary>
    /// <returns>Why they could not be stored; null where they were.</returns>
    internal static async Task<string?> StoreAsync(
        Settings settings, TimeProvider time, IReadOnlyList<ProbedDestination> probes)
    {
        try
        {
            using var prober = new ProberComposition(settings.Probe, settings.Postfix, time);
            using var ledger = new ProbeLedger(settings.Database, settings.Postfix, time);
            using var probe = prober.CreateDestinationProbe(ledger);
            foreach (var probed in probes)
                await probe.RecordAsync(probed);
            return null;
        }
        catch (LedgerUnavailableException fault)
        {
            return $"the change is stored, what was seen is not: {fault.Message}";
        }
    }
}
