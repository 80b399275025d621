using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Auditing;

namespace PolicyDaemon.Administration.Explaining;

/// <summary>What is known of the pins of a destination beside themselves: where they were seen, and who decided.</summary>
public sealed class PinProbeState(ProbeState? probed, IReadOnlyDictionary<Fingerprint, PinEvidence> evidence)
{
    public static readonly PinProbeState None = new(null, new Dictionary<Fingerprint, PinEvidence>());

    public static PinProbeState Read(PolicyStore store, Destination destination) =>
        new(store.ReadProbeState(destination.Key), store.ReadEvidence(destination.Key));

    /// <summary>What the prober knows of the destination; null where that was not read.</summary>
    public ProbeState? Probed { get; } = probed;

    public IReadOnlyList<PinPresentation> PresentationsOf(Pin pin) => Probed is null ? [] : Probed.PresentationsOf(pin.Fingerprint);

    public PinEvidence? EvidenceOf(Pin pin) => evidence.GetValueOrDefault(pin.Fingerprint);

    /// <summary>The first and last time that a pin was seen anywhere; null where it never was.</summary>
    public (DateTimeOffset First, DateTimeOffset Last)? Seen(Pin pin) => PresentationsOf(pin) is { Count: > 0 } seenAt
        ? (seenAt.Min(seen => seen.First), seenAt.Max(seen => seen.Last))
        : null;
}
