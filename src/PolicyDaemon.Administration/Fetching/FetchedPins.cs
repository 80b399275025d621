using System.Collections.Immutable;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Administration.Fetching;

/// <summary>A fetched fingerprint that a person accepted as a pin.</summary>
/// <param name="Fingerprint">The fingerprint, in the digest that Postfix compares.</param>
/// <param name="Subject">What the fingerprint is of: a certificate or a public key.</param>
/// <param name="Strength">The evidence on which the pin is trusted.</param>
/// <param name="Replaces">A pin of the same key or certificate in another digest, which it carries over; null: none.</param>
public sealed record AcceptedPin(Fingerprint Fingerprint, PinSubject Subject, PinStrength? Strength, Fingerprint? Replaces = null);

/// <summary>Fetched keys that were accepted: the pins of the entry that is to be written, and the probe, which is stored after the entry.</summary>
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

    /// <summary>The evidence of the pins, as JSON for the audit log.</summary>
    public string Evidence => FetchEvidence.Json(probed, Accepted, settings.Postfix.FingerprintDigest);

    /// <summary>The pins of the entry, with the accepted ones active.</summary>
    public ImmutableArray<Pin> AddTo(ImmutableArray<Pin> pins)
    {
        var now = UtcTime.WholeSeconds(time.GetUtcNow());
        foreach (var one in Accepted)
        {
            // A probe does not bring back what a person refused.
            if (pins.Find(one.Fingerprint)?.State.IsRefused() != true)
                pins = pins.Serve(new Pin(one.Fingerprint, one.Subject, PinState.Active, one.Strength, now));
            if (one.Replaces is { } foreign && pins.Find(foreign)?.IsServed == true)
                pins = pins.Retire(foreign, now);
        }

        return pins;
    }

    /// <summary>Stores the probe, after the entry was written.</summary>
    /// <returns>Why the probe could not be stored; null where it was.</returns>
    public Task<string?> StoreAsync() => StoreAsync(settings, time, [probed]);

    /// <summary>Stores probes of destinations that are configured by now, as if the daemon had made them.</summary>
    /// <returns>Why the probes could not be stored; null where they were.</returns>
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
